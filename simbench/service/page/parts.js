// Shared by the parts of the console: calls of the API, notices, tables that are refilled, explained frames.

export const facts = JSON.parse(document.getElementById("facts").textContent);
export const at = id => document.getElementById(id);
const NOTICE_MS = 6000;
const REFUSED_MS = 10_000; // before the API is polled again after it had too many requests

/** An element with properties, and children that are elements or texts. */
export function el(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key in made) made[key] = value; else made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

/** Ask the API; the answer's JSON. Throws an Error whose message a visitor understands. */
export async function ask(method, path, body) {
  const headers = {"X-Simbench": "console", ...(body === undefined ? {} : {"Content-Type": "application/json"})};
  const answer = await fetch(`/api/v1${path}`, {method, headers, body: body === undefined ? body : JSON.stringify(body)});
  const said = await answer.json().catch(() => ({}));
  if (answer.ok) return said;
  const field = (said.field || "").replace(/^(body|path|query)\./, "");
  const detail = answer.status === 401 ? "the token is not valid any more; reload this page" : said.detail;
  const error = new Error(`${field ? `${field}: ` : ""}${detail || said.title || answer.status}`);
  throw Object.assign(error, {status: answer.status});
}

/** Numbers requests; returns what tells whether no later one has begun, as answers may come in another order. */
export function latest() {
  let begun = 0;
  return () => {
    const mine = ++begun;
    return () => mine === begun;
  };
}

export function notify(text, kind = "") {
  const notice = el("p", {className: kind}, text);
  at("notices").append(notice);
  setTimeout(() => notice.remove(), NOTICE_MS);
}

/** Do something that the API may refuse; the visitor sees the reason. */
export async function attempt(action) {
  try {
    await action();
  } catch (error) {
    notify(error.message, "bad");
  }
}

export function pressed(id, action) {
  at(id).addEventListener("click", () => attempt(action));
}

export function submitted(id, action) {
  at(id).addEventListener("submit", event => {
    event.preventDefault();
    attempt(() => action(at(id).elements));
  });
}

/** The number in a field; 0 for an empty one. */
export const number = field => Number(field.value || 0);

export function choices(select, values) {
  select.replaceChildren(...values.map(value => el("option", {value}, value)));
}

const civil = new Intl.DateTimeFormat("sv-SE", {timeZone: facts.zone, dateStyle: "short", timeStyle: "medium"});

/** An instant (us) as civil time of the contract, to the second. */
export const shownAt = us => civil.format(us / 1000);

let polls = true, pollsAt = 0; // whether and when (ms) the API may be polled

/** Call again and again, one call at a time, while the page is in view and its token is valid. */
export function every(ms, action) {
  const again = async () => {
    if (!document.hidden && Date.now() >= pollsAt) {
      await action().catch(error => {
        if (error.status === 401) polls = false;
        if (error.status === 429) pollsAt = Date.now() + REFUSED_MS;
      });
    }
    if (polls) setTimeout(again, ms);
  };
  again();
}

function opener(name, label, open) {
  return el("button", {type: "button", className: "link", "aria-label": label, onclick: event => {
    event.stopPropagation();
    open();
  }}, name);
}

/**
 * A table of rows that come again and again. Rows that stay keep their place and the focus.
 *
 * `opens`: the column whose cells are buttons, with `opened` called with the row; `label` names the button.
 * `frames`: the column whose words are buttons; `perPage`: rows on a page, 0 for all of them.
 */
export class Table {
  constructor(place, title, columns, {key, perPage = 0, opens = "", label = null, opened = null, frames = ""}) {
    Object.assign(this, {columns, key, perPage, opens, label, opened, frames, rows: [], first: 0, made: new Map()});
    this.body = el("tbody");
    const heads = columns.map(name => el("th", {scope: "col"}, name.replace("_per_s", "/s").replaceAll("_", " ")));
    const table = el("table", {}, el("thead", {}, el("tr", {}, ...heads)), this.body);
    const region = el("div", {className: "table", role: "region", "aria-label": title, tabIndex: 0}, table);
    at(place).append(region);
    if (perPage) {
      this.range = el("span");
      this.before = el("button", {type: "button", onclick: () => this.turn(-perPage)}, "Previous");
      this.after = el("button", {type: "button", onclick: () => this.turn(perPage)}, "Next");
      at(place).append(el("nav", {"aria-label": `Pages of ${title}`}, this.before, this.range, this.after));
    }
  }

  turn(by) {
    this.first += by;
    this.draw();
  }

  fill(rows) {
    this.rows = rows;
    this.draw();
  }

  draw() {
    const {perPage, rows} = this;
    if (perPage) {
      this.first = Math.max(0, Math.min(this.first, Math.floor(Math.max(0, rows.length - 1) / perPage) * perPage));
      const last = Math.min(rows.length, this.first + perPage);
      this.range.textContent = rows.length ? `${this.first + 1} to ${last} of ${rows.length}` : "none";
      this.before.disabled = this.first === 0;
      this.after.disabled = last >= rows.length;
    }
    const shown = perPage ? rows.slice(this.first, this.first + perPage) : rows;
    const keyed = new Map(); // if rows have the same key, each later row gets a longer key
    for (const row of shown) {
      let key = String(this.key(row));
      while (keyed.has(key)) key += " again";
      keyed.set(key, row);
    }
    for (const [key, tr] of this.made) {
      if (!keyed.has(key)) {
        tr.remove();
        this.made.delete(key);
      }
    }
    let next = this.body.firstChild;
    for (const [key, row] of keyed) {
      let tr = this.made.get(key);
      if (!tr) this.made.set(key, tr = this.rowOf());
      if (tr === next) next = next.nextSibling; else this.body.insertBefore(tr, next);
      this.write(tr, row);
    }
  }

  rowOf() {
    const tr = el("tr", {}, ...this.columns.map(() => el("td")));
    tr.said = this.columns.map(() => null);
    tr.addEventListener("click", () => this.opened && tr.row.id && this.opened(tr.row.id));
    return tr;
  }

  write(tr, row) {
    tr.row = row;
    tr.className = this.opened && row.id ? "opens" : "";
    this.columns.forEach((name, place) => {
      const said = String(row[name] ?? "");
      if (tr.said[place] === said) return;
      tr.said[place] = said;
      tr.cells[place].replaceChildren(...this.cell(name, said, tr));
    });
  }

  cell(name, said, tr) {
    if (name === this.opens && this.label(tr.row)) {
      return [opener(said, this.label(tr.row), () => this.opened(tr.row.id))];
    }
    if (name === this.frames) {
      return said.split(" ").filter(Boolean).map(id => opener(id, `Frame ${id}`, () => this.opened(id)));
    }
    return [said];
  }
}

/** A place below a table for a frame, field by field; returns what opens one by its id. */
export function framePlace(place) {
  const shown = el("div", {className: "frame", role: "status"});
  queueMicrotask(() => at(place).append(shown)); // below the table that is being made
  const isLatest = latest();
  return async id => {
    const counts = isLatest();
    try {
      const frame = await ask("GET", `/messages/${id}`);
      if (!counts()) return;
      const columns = ["name", "value", "what", "meaning"];
      const rows = frame.fields.map(field => el("tr", {}, ...columns.map(name => el("td", {}, field[name]))));
      const heads = columns.map(name => el("th", {scope: "col"}, name));
      const table = el("table", {}, el("thead", {}, el("tr", {}, ...heads)), el("tbody", {}, ...rows));
      const region = el("div", {className: "table", role: "region", "aria-label": `Fields of ${id}`, tabIndex: 0}, table);
      shown.replaceChildren(el("p", {}, `${frame.heading}   (${id})`), region);
    } catch {
      if (counts()) shown.replaceChildren(el("p", {}, `${id}: not found among the submits, the latest findings and the latest events`));
    }
  };
}
