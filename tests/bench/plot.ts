/** Draws line charts as SVG, for light and dark pages. */

export interface Line {
  readonly name: string;
  /** In the order of x. */
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface Chart {
  readonly title: string;
  /** The axes, with units. Both are logarithmic, so that a straight line at 45° is linear growth. */
  readonly x: string;
  readonly y: string;
  readonly lines: readonly Line[];
}

/** Told apart also without colours: by the shape of their points. Okabe and Ito's colours, which colour-blind people can tell apart. */
const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#999999", "#e69f00", "#56b4e9"];
const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM, ROW] = [560, 300, 64, 36, 40, 50, 18];

/** Charts side by side, with one legend for the lines of all. */
export function draw(label: string, charts: readonly Chart[]): string {
  const names = [...new Set(charts.flatMap(({ lines }) => lines.map(({ name }) => name)))];
  const height = HEIGHT + ROW * Math.ceil(names.length / 3) + 12;
  const legend = names.map((name, i) => {
    const [x, y] = [LEFT + (i % 3) * 300, HEIGHT + ROW * Math.floor(i / 3) + 8];
    return `  <path d="M${x} ${y - 4} h24" stroke="${COLOURS[i]}"/>${mark(i, x + 12, y - 4)}<text x="${x + 32}" y="${y}">${escaped(name)}</text>`;
  });
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH * charts.length} ${height}" role="img" aria-label="${escaped(label)}">`,
    "  <style>",
    "    rect { fill: #ffffff } text { font: 12px ui-sans-serif, system-ui, sans-serif; fill: #1f2933 }",
    "    .title { font-weight: 600; font-size: 14px } .end { text-anchor: end } .middle { text-anchor: middle }",
    "    path { fill: none; stroke-width: 2 } .grid { stroke: #d9dee3; stroke-width: 1 }",
    "    @media (prefers-color-scheme: dark) { rect { fill: #0d1117 } text { fill: #e6edf3 } .grid { stroke: #30363d } }",
    "  </style>",
    '  <rect width="100%" height="100%"/>',
    ...charts.flatMap((chart, i) => [`  <g transform="translate(${i * WIDTH} 0)">`, ...drawChart(chart, names), "  </g>"]),
    ...legend,
    "</svg>",
  ].join("\n")}\n`;
}

function drawChart({ title, x, y, lines }: Chart, names: readonly string[]): string[] {
  const points = lines.flatMap((line) => line.points);
  const across = scale(
    points.map(([value]) => value),
    LEFT,
    WIDTH - RIGHT,
  );
  const up = scale(
    points.map(([, value]) => value),
    HEIGHT - BOTTOM,
    TOP,
  );
  const [middle, bottom] = [(LEFT + WIDTH - RIGHT) / 2, HEIGHT - BOTTOM];
  return [
    `    <text x="${LEFT}" y="20" class="title">${escaped(title)}</text>`,
    ...across.ticks.map(
      (tick) =>
        `    <path d="M${across.at(tick)} ${TOP} V${bottom}" class="grid"/><text x="${across.at(tick)}" y="${bottom + 18}" class="middle">${number(tick)}</text>`,
    ),
    ...up.ticks.map(
      (tick) =>
        `    <path d="M${LEFT} ${up.at(tick)} H${WIDTH - RIGHT}" class="grid"/><text x="${LEFT - 8}" y="${up.at(tick) + 4}" class="end">${number(tick)}</text>`,
    ),
    `    <text x="${middle}" y="${bottom + 38}" class="middle">${escaped(x)}</text>`,
    `    <text transform="translate(14 ${(TOP + bottom) / 2}) rotate(-90)" class="middle">${escaped(y)}</text>`,
    ...lines.flatMap(({ name, points: own }) => {
      const i = names.indexOf(name);
      const places = own.map(([one, other]) => [across.at(one), up.at(other)] as const);
      const line = places.map(([one, other]) => `${one} ${other}`).join(" L");
      return [`    <path d="M${line}" stroke="${COLOURS[i]}"/>`, ...places.map(([one, other]) => `    ${mark(i, one, other)}`)];
    }),
  ];
}

interface Scale {
  readonly ticks: readonly number[];
  readonly at: (value: number) => number;
}

/** A logarithmic scale. Its ticks are 1, 2, 5, 10, …, or powers of ten if there would be many. */
function scale(values: readonly number[], from: number, to: number): Scale {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const steps = most / least > 100 ? [1] : [1, 2, 5];
  const all = Array.from({ length: 16 }, (_, i) => steps.map((step) => step * 10 ** (i - 6))).flat();
  const low = all.findLast((tick) => tick <= least) ?? least;
  const high = all.find((tick) => tick >= most && tick > low) ?? most;
  const at = (value: number) => from + (Math.log(value / low) / Math.log(high / low)) * (to - from);
  return { ticks: all.filter((tick) => tick >= low && tick <= high), at: (value) => Math.round(at(value) * 10) / 10 };
}

/** The point of the line at this index. */
function mark(index: number, x: number, y: number): string {
  const shapes = ["M-4 0 a4 4 0 1 0 8 0 a4 4 0 1 0 -8 0", "M-4 -4 h8 v8 h-8z", "M0 -5 L5 4 H-5z", "M0 -5 L5 0 L0 5 L-5 0z"];
  return `<path transform="translate(${x} ${y})" d="${shapes[index % shapes.length]}" style="fill: ${COLOURS[index]}"/>`;
}

function number(value: number): string {
  return value >= 1 ? value.toLocaleString("en") : String(Number(value.toPrecision(1)));
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
