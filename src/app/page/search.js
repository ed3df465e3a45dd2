// Finding lines: upwards on the board, which has the file beside it; downwards, and by level, from
// here.

import { BLOCK } from './blocks.js';
import { terms } from './pattern.js';

/** Lines asked for at once. */
const PAGE = 200;
/** Looked at downwards before one is told how far it is, in bytes. */
const DOWN = 1024 * 1024;
const NEWLINE = 10;

/** The query that the board is asked with for the filters of a `spec`: of levels it knows nothing.
 * */
function query({ filters }) {
  const asked = new URLSearchParams();
  const { match, not } = terms(filters);
  for (const term of match) asked.append('match', term);
  for (const term of not) asked.append('not', term);
  return asked;
}

/** The objects of an answer of JSON lines, as they come. */
async function* records(answer) {
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const lines = (rest + value).split('\n');
    rest = lines.pop();
    for (const line of lines) if (line) yield JSON.parse(line);
  }
}

/**
 * One page of hits before a place (`INODE-OFFSET`, or `null`: the end), newest first. Yields `{
 * run, start }`, and `{ scanned }` in between; returns `{ end, scanned }`, `end` being `limit`,
 * `budget` or `start`.
 *
 */
export async function* upwards(pieces, spec, before, signal, limit = PAGE) {
  const asked = query(spec);
  if (before) asked.set('before', before);
  asked.set('limit', limit);
  const answer = await pieces.search(asked, signal);
  if (!answer.ok || !answer.headers.get('Content-Type')?.includes('ndjson')) {
    throw new Error(answer.ok ? 'this server can’t search' : (await answer.text()).trim());
  }
  let scanned = before;
  for await (const record of records(answer)) {
    if (record.at) {
      scanned = record.at;
      const [inode, offset] = record.at.split('-');
      const start = Number.parseInt(offset, 16);
      const run = await pieces.reach(inode, start);
      if (run && start >= run.from) yield { run, start };
    } else if (record.scanned) {
      scanned = record.scanned;
      yield { scanned };
    } else if (record.end) {
      return { end: record.end, scanned };
    }
  }
  throw new Error('the search was cut off');
}

/** The same, looked for here: for what the board can't tell. */
export async function* upwardsHere(pieces, matcher, spec, before, signal, limit = PAGE) {
  const [inode, offset] = before.split('-');
  let end = Number.parseInt(offset, 16);
  let run = await pieces.reach(inode, end);
  for (let left = limit; run; ) {
    if (run.kind || end <= run.from) {
      if (!run.prev && pieces.wantsOlder) await pieces.load();
      run = run.prev;
      end = run?.to;
      continue;
    }
    let start = Math.max(run.from, end - BLOCK);
    let bytes = pieces.bytes(run, start, end)?.slice() ?? (await fetched(pieces, run, start, end));
    if (!bytes || signal.aborted) break;
    // The first line begins before, unless it is longer than all that was read.
    const cut = start > run.from ? bytes.indexOf(NEWLINE) + 1 : 0;
    if (cut < bytes.length) {
      bytes = bytes.subarray(cut);
      start += cut;
    }
    const found = await matcher.ask({ job: 'lines', bytes, spec });
    for (const at of found.reverse()) {
      yield { run, start: start + at };
      left -= 1;
      if (left === 0) return { end: 'limit', scanned: `${run.inode}-${(start + at).toString(16)}` };
    }
    end = start;
    yield { scanned: `${run.inode}-${end.toString(16)}` };
  }
  return { end: 'start', scanned: null };
}

async function fetched(pieces, run, start, end) {
  const answer = run.asked ? await pieces.fetch(run.inode, start, end - start) : null;
  return answer?.status === 200 ? new Uint8Array(await answer.arrayBuffer()) : null;
}

/** The first hit at or behind `start` of `run`; `{ more }` says from where one would go on, `null`
 * that there is none. */
export async function downwards(pieces, matcher, spec, run, start, signal) {
  let looked = 0;
  while (run) {
    if (run.kind || start >= run.to) {
      run = run.next;
      start = run?.from;
      continue;
    }
    const block = await loaded(pieces, run, start);
    if (!block || signal.aborted) return null;
    let end = Math.min(block.to, run.to);
    // Whole lines; what the block cuts in half is looked at with the next one.
    const newline = block.bytes.lastIndexOf(NEWLINE) + 1 + block.from;
    if (newline > start) end = newline;
    let bytes = block.bytes.slice(start - block.from, end - block.from);
    if (newline <= start && end < run.to && (await loaded(pieces, run, end))) {
      const next = pieces.block(run, end);
      const stop = next.bytes.indexOf(NEWLINE);
      end = stop < 0 ? next.to : next.from + stop + 1;
      bytes = pieces.bytes(run, start, end)?.slice() ?? bytes;
    }
    const found = await matcher.ask({ job: 'lines', bytes, spec });
    if (signal.aborted) return null;
    if (found.length > 0) return { run, start: start + found[0] };
    looked += end - start;
    start = end;
    if (looked >= DOWN) return { more: { run, start } };
  }
  return null;
}

async function loaded(pieces, run, offset) {
  for (let tries = 0; tries < 3; tries += 1) {
    const block = pieces.block(run, offset);
    if (block) return block;
    if (!(await pieces.load())) return null;
  }
  return null;
}

/** A place as the board is asked with. */
export const placeOf = ({ run, start }) => `${run.inode}-${start.toString(16)}`;

