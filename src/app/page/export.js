// What is seen, to take away.

const cell = (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/**
 * Rows of CSV with a header: the file's own values at their times; where only buckets reach so far, min, mean and max of
 * each. `series`: `[{ title, source }]`, `source` as `Series.source` gives it.
 */
export function csv(series, from, to) {
  const head = ['time'];
  const lines = new Map();
  for (const { title, source: { rows } } of series) {
    const { width, data } = rows;
    const place = head.length;
    head.push(...(width === 2 ? [title] : ['min', 'mean', 'max'].map((of) => `${title} ${of}`)));
    for (let i = rows.find(from); i < rows.length && rows.at(i) <= to; i += 1) {
      const row = data.subarray(i * width, (i + 1) * width);
      const values = width === 2 ? [row[1]] : [row[2], row[6] / row[7], row[3]];
      const line = lines.get(row[0]) ?? [];
      values.forEach((value, k) => (line[place + k] = Number.isNaN(value) ? '' : String(value)));
      lines.set(row[0], line);
    }
  }
  const times = [...lines.keys()].sort((a, b) => a - b);
  const text = (ms) => {
    const line = lines.get(ms);
    return head.map((_, i) => (i === 0 ? new Date(ms).toISOString() : (line[i] ?? ''))).join(',');
  };
  return `${[head.map(cell).join(','), ...times.map(text)].join('\n')}\n`;
}

/** The charts one below the other, each under its title, as a PNG. */
export function png(charts, { paper, ink, font }) {
  const ratio = devicePixelRatio;
  const title = 28 * ratio;
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(...charts.map((chart) => chart.canvas.width));
  canvas.height = charts.reduce((sum, chart) => sum + chart.canvas.height + title, 0);
  const pen = canvas.getContext('2d');
  pen.fillStyle = paper;
  pen.fillRect(0, 0, canvas.width, canvas.height);
  let y = 0;
  for (const chart of charts) {
    pen.setTransform(ratio, 0, 0, ratio, 0, y);
    pen.fillStyle = ink;
    pen.font = font;
    pen.fillText(chart.title, 12, 20);
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.drawImage(chart.canvas, 0, y + title);
    y += chart.canvas.height + title;
  }
  return new Promise((done) => canvas.toBlob(done, 'image/png'));
}

/** Gives a file to the reader; works without a secure origin. */
export function save(blob, name) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
