// What is seen, to take away.

const cell = (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/**
 * Rows of CSV with a header: the file's own values at their times; where only buckets reach so far, min, mean and max of
 * each. `series`: `[{ title, rows }]`, `rows` as `Series.source` gives them.
 */
export function csv(series, from, to) {
  const head = ['time'];
  const lines = new Map();
  for (const { title, rows } of series) {
    const { width, data } = rows;
    const place = head.length;
    head.push(...(width === 2 ? [title] : ['min', 'mean', 'max'].map((of) => `${title} ${of}`)));
    for (let i = rows.find(from); i < rows.length && rows.at(i) <= to; i += 1) {
      const [ms, value, min, max, , , sum, count] = data.subarray(i * width, (i + 1) * width);
      const line = lines.get(ms) ?? [];
      (width === 2 ? [value] : [min, sum / count, max]).forEach((one, k) => (line[place + k] = Number.isNaN(one) ? '' : String(one)));
      lines.set(ms, line);
    }
  }
  const text = ([ms, line]) => head.map((_, i) => (i === 0 ? new Date(ms).toISOString() : (line[i] ?? ''))).join(',');
  const sorted = [...lines].sort(([a], [b]) => a - b);
  return `${[head.map(cell).join(','), ...sorted.map(text)].join('\n')}\n`;
}

/** The charts one below the other, each under its title. */
function png(pictures, { paper, ink, font }) {
  const ratio = devicePixelRatio;
  const title = 28 * ratio;
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(...pictures.map((picture) => picture.canvas.width));
  canvas.height = pictures.reduce((sum, picture) => sum + picture.canvas.height + title, 0);
  const pen = canvas.getContext('2d');
  pen.fillStyle = paper;
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.fillStyle = ink;
  pen.font = font.replace('11px', `${13 * ratio}px`);
  let y = 0;
  for (const picture of pictures) {
    pen.fillText(picture.title, 12 * ratio, y + 20 * ratio);
    pen.drawImage(picture.canvas, 0, y + title);
    y += picture.canvas.height + title;
  }
  return new Promise((done) => canvas.toBlob(done, 'image/png'));
}

/** Gives `csv` or `png` to the reader; works without a secure origin. */
export async function save(charts, kind) {
  const { from, to, shown, title } = charts;
  const series = shown.map((one) => ({ title: title(one), rows: one.data.source(from).rows }));
  const blob = kind === 'png' ? await png(charts.pictures, charts.look) : new Blob([csv(series, from, to)], { type: 'text/csv' });
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = `${charts.options.name.replaceAll('/', '-')}.${kind}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
