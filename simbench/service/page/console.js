// The console of a running SMSC: head, short codes with their chart, sessions. It polls the API once a second.

import {drawn} from "./chart.js";
import {controls, showFaults} from "./controls.js";
import {ask, at, every, facts, shownAt, Table} from "./parts.js";
import {phone} from "./phone.js";
import {tables} from "./tables.js";

const KEPT = 120; // samples of the chart
const codes = new Table(
  "codes", "Short codes and their tiers",
  ["code", "account", "tier_per_s", "mode", "accepted_per_s", "refused_per_s", "accepted", "refused"],
  {key: row => row.code},
);
const sessions = new Table(
  "sessions", "Sessions",
  ["number", "account", "state", "window", "unanswered_by_client", "unanswered_by_smsc"],
  {key: row => row.number, perPage: 20},
);
const history = {at: [], accepted: {}};
const seen = {rows: {}, answered: 0}; // the other parts react when these change

function head(platform) {
  at("clock").textContent = `${shownAt(platform.now)}  × ${platform.speed}`;
  const outage = platform.outage;
  at("state").textContent = outage ? `${platform.state}: ${outage.mode} (${outage.scope})` : platform.state;
  at("state").classList.toggle("bad", Boolean(outage));
  at("ledger").hidden = !platform.ledger;
  if (platform.ledger !== at("ledger").textContent) at("ledger").textContent = platform.ledger;
}

function add(rates) {
  history.at = [...history.at, ...rates.at].slice(-KEPT);
  for (const [code, values] of Object.entries(rates.accepted_per_s)) {
    history.accepted[code] = [...(history.accepted[code] || []), ...values].slice(-KEPT);
  }
}

function draw(platform) {
  const busy = platform.codes.filter(each => each.accepted);
  const shown = (busy.length ? busy : platform.codes.slice(0, 1)).map(each => (
    {name: each.code, tier: each.tier_per_s, values: history.accepted[each.code] || []}
  ));
  at("chart").replaceChildren(...drawn(shown, history.at.map(us => shownAt(us).slice(11))));
}

async function look() {
  const platform = await ask("GET", "/platform");
  if (!history.at.length) add(await ask("GET", "/rates")); // samples from before this page was opened
  add({at: [platform.now], accepted_per_s: Object.fromEntries(platform.codes.map(each => [each.code, [each.accepted_per_s]]))});
  seen.rows = platform.rows;
  seen.answered = platform.answered;
  head(platform);
  codes.fill(platform.codes);
  sessions.fill(platform.sessions ? await ask("GET", "/sessions") : []);
  showFaults(platform);
  draw(platform);
}

at("name").textContent = `${facts.scenario}, contract ${facts.contract}`;
controls();
phone(seen);
tables(seen);
every(1000, async () => {
  try {
    await look();
  } catch (error) {
    at("state").textContent = `no answer: ${error.message}`;
    at("state").classList.add("bad");
    throw error;
  }
});
