// A chart of lines over time, each with a dashed line for its tier.

const WIDTH = 600, HEIGHT = 220, LEFT = 44, RIGHT = 8, TOP = 18, BOTTOM = 24;
const COLOURS = ["#1d4e89", "#b71c1c", "#1b5e20", "#6a1b9a", "#bf360c", "#00695c", "#424242", "#ad1457"];
const SVG = "http://www.w3.org/2000/svg";
const SAID = "Accepted submits per second of each short code, and its tier";

function shape(name, properties, text = "") {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(properties)) made.setAttribute(key, value);
  made.textContent = text;
  return made;
}

/** A round number that is not below the given one. */
function roof(value) {
  const step = 10 ** Math.floor(Math.log10(Math.max(value, 1)));
  return [1, 2, 5, 10].map(each => each * step).find(each => each >= value);
}

/** The chart and its legend, as elements; `lines` have a name, a tier and values, `times` name the samples. */
export function drawn(lines, times) {
  const top = roof(Math.max(1, ...lines.flatMap(line => [line.tier, ...line.values])));
  const x = place => LEFT + (WIDTH - LEFT - RIGHT) * (times.length > 1 ? place / (times.length - 1) : 0);
  const y = value => HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / top;
  const words = {"font-size": 11, fill: "#334155"};
  const svg = shape("svg", {viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": SAID});
  for (const part of [0, 0.5, 1]) {
    svg.append(
      shape("line", {x1: LEFT, x2: WIDTH - RIGHT, y1: y(part * top), y2: y(part * top), stroke: "#cbd5e1"}),
      shape("text", {x: LEFT - 6, y: y(part * top) + 4, "text-anchor": "end", ...words}, part * top),
    );
  }
  svg.append(shape("text", {x: 4, y: 11, ...words}, "accepted/s"));
  if (times.length) svg.append(
    shape("text", {x: LEFT, y: HEIGHT - 6, ...words}, times[0]),
    shape("text", {x: WIDTH - RIGHT, y: HEIGHT - 6, "text-anchor": "end", ...words}, times[times.length - 1]),
  );
  const legend = document.createElement("ul");
  lines.forEach((line, number) => {
    const colour = COLOURS[number % COLOURS.length], first = times.length - line.values.length;
    const points = line.values.map((value, place) => `${x(first + place).toFixed(1)},${y(value).toFixed(1)}`).join(" ");
    const tier = {x1: LEFT, x2: WIDTH - RIGHT, y1: y(line.tier), y2: y(line.tier), "stroke-dasharray": "4 4"};
    svg.append(
      shape("polyline", {points, fill: "none", stroke: colour, "stroke-width": 2}),
      shape("line", {...tier, stroke: colour}),
    );
    const item = document.createElement("li");
    item.textContent = `${line.name}: ${Math.round(line.values[line.values.length - 1] || 0)} of ${line.tier}/s`;
    item.style.color = colour;
    legend.append(item);
  });
  return [svg, legend];
}
