// Runs in the page beside uPlot: the points of both lines, column by column.
(async () => {
  const { Series } = await import('./series.js');
  const { trace } = await import('./draw.js');
  const [count, width, height] = [86_400, 1000, 400];
  const xs = Array.from({ length: count }, (_, i) => 1_795_634_761 + i);
  const ys = xs.map((_, i) => 20 + 3 * Math.sin(i / 9000) + ((i * 104_729) % 997) / 2000 + (i === 50_001 ? 9 : 0) - (i === 61_003 ? 9 : 0));

  // What uPlot draws is a Path2D: each of its points is written down.
  const points = [];
  const lineTo = Path2D.prototype.lineTo;
  Path2D.prototype.lineTo = function (x, y) {
    points.push([x, y]);
    return lineTo.call(this, x, y);
  };
  const target = document.createElement('div');
  document.body.append(target);
  const chart = new uPlot(
    {
      width,
      height,
      pxRatio: 1,
      padding: [0, 0, 0, 0],
      legend: { show: false },
      cursor: { show: false },
      axes: [{ show: false }, { show: false }],
      scales: { x: { range: () => [xs[0], xs.at(-1)] }, y: { range: () => [0, 40] } },
      series: [{}, { stroke: 'black', width: 1, points: { show: false } }],
    },
    [xs, ys],
    target,
  );
  await new Promise((done) => setTimeout(done));
  Path2D.prototype.lineTo = lineTo;
  chart.destroy();
  target.remove();

  const extremes = (all) => {
    const columns = new Map();
    for (const [x, y] of all) {
      const [least, most] = columns.get(x) ?? [Infinity, -Infinity];
      columns.set(x, [Math.min(least, y), Math.max(most, y)]);
    }
    return columns;
  };
  const theirs = extremes(points);

  const series = new Series();
  series.add(Float64Array.from(xs.flatMap((x, i) => [x * 1000, ys[i]])));
  const per = ((xs.at(-1) - xs[0]) * 1000) / width;
  const { lines } = trace(series.source(0), xs[0] * 1000, per, width);
  const ours = extremes(lines.flatMap((line) => Array.from({ length: line.length / 2 }, (_, i) => [Math.floor(line[2 * i]), (1 - line[2 * i + 1] / 40) * height])));

  const different = [];
  let columns = 0;
  // At its edges uPlot goes down to the bottom, for an area that it could fill.
  for (let x = 1; x < width; x += 1) {
    const [a, b] = [theirs.get(x), ours.get(x)];
    columns += 1;
    // uPlot rounds to whole pixels.
    if (!a || !b || Math.abs(a[0] - b[0]) >= 1 || Math.abs(a[1] - b[1]) >= 1) different.push([x, a, b]);
  }
  return { columns, different: different.slice(0, 5) };
})()
