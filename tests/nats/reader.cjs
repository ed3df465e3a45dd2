// Readers of a subject that know nothing of Tailcast but its headers, by NATS's own library over WebSocket: in Node and in a
// browser. node --experimental-websocket reader.cjs LIBRARY URL SUBJECT COUNT; each prints the SHA-256 of all bytes up to the
// line `the end`.

/** One reader. `connect` is the library's; `hash` takes the bytes. Resolves with how often it was connected anew. */
async function read(connect, servers, subject, hash) {
  const nats = await connect({
    servers,
    user: 'hub',
    pass: 'look',
    inboxPrefix: '_INBOX.hub',
    maxReconnectAttempts: -1,
    reconnectTimeWait: 50,
    waitOnFirstConnect: true,
  })
  let cursor = null
  let bytes = 0
  let sequence = 0
  let again = 0
  let ended
  const end = new Promise((resolve) => (ended = resolve))

  // The consumer's rule: what begins where the last one ended is taken, what ends before that is dropped, and between is a hole.
  const take = ({ headers, data }) => {
    const number = (name) => Number(headers.get(name))
    const total = number('Tailcast-Bytes')
    if (total <= bytes && cursor !== null) return true
    const fits = cursor === null ? total === data.length : headers.get('Tailcast-From') === cursor
    if (!fits) return false
    if (total - data.length !== bytes) throw new Error(`${total} bytes with ${data.length} after ${bytes}`)
    hash(data)
    bytes = total
    cursor = headers.get('Tailcast-Cursor')
    sequence = Math.max(sequence, number('Nats-Sequence'), number('Nats-Expected-Last-Subject-Sequence'))
    if (new TextDecoder().decode(data).endsWith('the end\n')) ended()
    return true
  }
  const fetchOn = async () => {
    for (let next = sequence + 1; ; ) {
      const asked = JSON.stringify({ seq: next, next_by_subj: subject })
      const answer = await nats.request('$JS.API.DIRECT.GET.TAILCAST', asked, { timeout: 5000 })
      if (answer.headers?.code === 404) return
      if (!take(answer)) throw new Error(`a hole in the stream before ${answer.headers}`)
      next = Number(answer.headers.get('Nats-Sequence')) + 1
    }
  }
  // One after another; a connection that breaks meanwhile says so, and then it is done again.
  let turn = Promise.resolve()
  const catchUp = () => (turn = turn.then(fetchOn).catch((error) => {
    if (/hole|bytes with/.test(error.message)) throw error
    setTimeout(catchUp, 50)
  }))
  const live = async () => {
    for await (const message of nats.subscribe(subject)) {
      await turn
      if (!take(message)) catchUp()
    }
  }
  const connections = async () => {
    for await (const { type } of nats.status()) {
      if (type !== 'reconnect') continue
      again += 1
      catchUp()
    }
  }
  live()
  connections()
  await nats.flush()
  catchUp()
  await end
  await nats.close()
  return again
}

if (typeof process === 'object') {
  const [library, url, subject, count] = process.argv.slice(2)
  const { wsconnect } = require(`${library}/lib/mod.js`)
  const one = async () => {
    const hash = require('crypto').createHash('sha256')
    const again = await read(wsconnect, url, subject, (data) => hash.update(data))
    console.log(`${hash.digest('hex')} ${again}`)
  }
  for (let number = 0; number < Number(count); number += 1) one()
}
