// Values of the curves under the pointer; a drag across a figure enlarges that part, a double click shows all again.
(() => {
  "use strict";
  const space = "http://www.w3.org/2000/svg";
  const tip = document.createElement("div");
  tip.className = "tip";
  tip.hidden = true;
  document.body.append(tip);
  const plots = JSON.parse(document.getElementById("plots").textContent);
  const nearest = (xs, x) => {
    let low = 0, high = xs.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (xs[middle] <= x) low = middle; else high = middle;
    }
    return x - xs[low] <= xs[high] - x ? low : high;
  };
  for (const [name, panels] of Object.entries(plots)) {
    const svg = document.querySelector(`#${name} svg`);
    if (!svg) continue;
    const whole = svg.getAttribute("viewBox");
    const cursor = document.createElementNS(space, "line");
    cursor.setAttribute("class", "cursor");
    cursor.style.display = "none";
    svg.append(cursor);
    const at = (event) => new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    const hide = () => { tip.hidden = true; cursor.style.display = "none"; };
    let from = null;
    svg.addEventListener("pointermove", (event) => {
      const point = at(event);
      const panel = panels.find(({ box }) => point.x >= box[0] && point.x <= box[2] && point.y >= box[1] && point.y <= box[3]);
      if (!panel || !panel.x.length) return hide();
      const place = nearest(panel.x, point.x);
      for (const [key, value] of [["x1", panel.x[place]], ["x2", panel.x[place]], ["y1", panel.box[1]], ["y2", panel.box[3]]]) {
        cursor.setAttribute(key, value);
      }
      cursor.style.display = "";
      tip.textContent = [panel.at[place], ...Object.entries(panel.values).map(([key, texts]) => `${key}: ${texts[place]}`)].join("\n");
      tip.hidden = false;
      const right = event.clientX > window.innerWidth / 2;
      tip.style.left = right ? "auto" : `${event.clientX + 14}px`;
      tip.style.right = right ? `${window.innerWidth - event.clientX + 14}px` : "auto";
      tip.style.top = `${event.clientY + 14}px`;
    });
    svg.addEventListener("pointerleave", hide);
    svg.addEventListener("pointerdown", (event) => { from = at(event); });
    svg.addEventListener("pointerup", (event) => {
      const to = at(event);
      if (from && Math.abs(to.x - from.x) > 12) {
        const [, , width, height] = whole.split(/\s+/).map(Number);
        const wide = Math.abs(to.x - from.x), high = wide * height / width;
        svg.setAttribute("viewBox", `${Math.min(from.x, to.x)} ${Math.max(0, (from.y + to.y - high) / 2)} ${wide} ${high}`);
      }
      from = null;
    });
    svg.addEventListener("dblclick", () => svg.setAttribute("viewBox", whole));
  }
  for (const hint of document.querySelectorAll(".hint")) hint.hidden = false;
})();
