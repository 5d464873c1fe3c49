// Tables whose rows open frames: messages, verdicts, and the latest events. All of them are updated with the traffic.

import {ask, at, attempt, choices, every, facts, framePlace, latest, pressed, shownAt, submitted, Table} from "./parts.js";

const EVENTS = 25;
const FRAMES = 3; // shown for a verdict
const UNDECIDED = new Set(["inconclusive", "unsupported"]);
const FIRST = ["error", "fail", "weak", "pass"]; // the order of verdicts
const openedBy = row => (row.id ? `Frame of ${row.when}` : "");

/** Show again while rows are written, and until `show` says that it showed all of them. */
function live(seen, ms, show) {
  let stands = "";
  every(ms, async () => {
    const now = JSON.stringify([seen.rows.wire, seen.rows.centre, seen.rows.events]);
    if (seen.rows.wire !== undefined && now !== stands && await show()) stands = now;
  });
}

function messages(seen) {
  const columns = ["when", "session", "code", "recipient", "text", "outcome", "ec", "scts"];
  const options = {key: row => row.id, perPage: 8, opens: "when", label: openedBy, opened: framePlace("found")};
  const table = new Table("found", "Messages found", columns, options);
  const fields = at("search").elements;
  choices(fields.outcome, facts.outcomes);
  const entered = () => ["recipient", "code", "text", "outcome"].map(name => [name, fields[name].value]);
  const isLatest = latest();
  let shown = []; // the last search that was answered; fields that are being filled in are none yet
  let asked = 0; // searches of the visitor without an answer

  async function search(wanted, fresh) {
    const counts = isLatest();
    const found = await ask("GET", `/messages?${new URLSearchParams([...wanted, ["fresh", fresh]])}`);
    if (!counts()) return false;
    shown = wanted;
    table.fill(found.messages.map(each => ({...each, when: shownAt(each.at)})));
    return true;
  }

  async function visit() {
    asked += 1;
    try {
      await search(entered(), true);
    } finally {
      asked -= 1;
    }
  }

  submitted("search", visit);
  fields.outcome.addEventListener("change", () => attempt(visit));
  live(seen, 2000, async () => !asked && (seen.answered > facts.followed || search(shown, false)));
}

function verdicts(seen) {
  const options = {key: row => row.purpose, perPage: 10, frames: "frames", opened: framePlace("findings")};
  const table = new Table("findings", "Findings", ["purpose", "outcome", "blame", "summary", "frames"], options);
  const rank = each => (FIRST.includes(each.outcome) ? FIRST.indexOf(each.outcome) : FIRST.length);

  function show(judged) {
    const decided = judged.findings.filter(each => !UNDECIDED.has(each.outcome));
    decided.sort((a, b) => rank(a) - rank(b) || (a.purpose < b.purpose ? -1 : 1));
    table.fill(decided.map(each => ({...each, frames: each.frames.slice(0, FRAMES).join(" ")})));
    const when = judged.judged_at ? `, as of ${shownAt(judged.judged_at)}` : "";
    at("judged").textContent = `${decided.length} of ${judged.findings.length} rules had something to judge${when}`;
  }

  pressed("judge", async () => show(await ask("GET", "/findings")));
  live(seen, 2000, async () => {
    const judged = await ask("GET", "/findings?fresh=false");
    show(judged);
    return judged.up_to_date;
  });
}

function events(seen) {
  const columns = ["when", "session", "account", "event", "answer", "decided_by"];
  const key = row => row.id || `${row.at} ${row.session} ${row.event}`;
  const options = {key, perPage: 10, opens: "when", label: openedBy, opened: framePlace("events")};
  const table = new Table("events", "Events", columns, options);
  live(seen, 1000, async () => {
    const found = await ask("GET", `/events?limit=${EVENTS}`);
    table.fill(found.map(each => ({...each, session: each.session || "", when: shownAt(each.at)})));
    return true;
  });
}

export function tables(seen) {
  messages(seen);
  verdicts(seen);
  events(seen);
}
