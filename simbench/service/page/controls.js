// The console's controls: the clock, outages, wire faults.

import {ask, at, choices, el, facts, number, pressed, shownAt, submitted, Table} from "./parts.js";

const TEXTS = new Set(["ec", "ot", "code"]); // parameters that are not numbers

export function showFaults(platform) {
  const planned = platform.scheduled.map(each => `; planned: ${each.mode} at ${shownAt(each.at)}`).join("");
  at("active").textContent = `active: ${platform.faults.join(", ") || "none"}${planned}`;
}

function clockAndOutage() {
  submitted("speed", fields => ask("PUT", "/clock/speed", {speed: number(fields.speed)}));
  submitted("step", fields => ask("POST", "/clock/step", {seconds: number(fields.seconds)}));
  const {mode, scope} = at("outage").elements;
  choices(mode, facts.modes);
  mode.value = "cut";
  choices(scope, ["total", ...facts.codes]);
  submitted("outage", fields => ask("POST", "/outage", {
    mode: mode.value, scope: scope.value, planned: fields.planned.checked,
    in_s: number(fields.in_s), for_s: number(fields.for_s),
  }));
  pressed("restore", () => ask("DELETE", "/outage"));
}

/** Every fault with what it does, and its own parameters with their defaults; a button chooses it. */
function catalogue(choose) {
  at("all").textContent = `All ${facts.faults.length} faults`;
  const table = new Table("catalogue", "All faults", ["fault", "what", "parameters"], {
    key: row => row.id, opens: "fault", label: row => `Choose ${row.id}`, opened: choose,
  });
  const own = each => each.taken.filter(name => !facts.of_all.includes(name));
  const said = (each, name) => (name in each.defaults ? `${name} (${each.defaults[name]})` : name);
  table.fill(facts.faults.map(each => (
    {id: each.name, fault: each.name, what: each.what, parameters: own(each).map(name => said(each, name)).join(", ")}
  )));
}

function faults() {
  const fields = at("fault").elements, known = Object.fromEntries(facts.faults.map(each => [each.name, each]));
  choices(fields.name, facts.faults.map(each => each.name));
  choices(fields.code, ["", ...facts.codes]);
  for (const name of facts.parameters) at("parameters").append(el("label", {}, name, el("input", {name})));
  const optional = [...facts.parameters, "code"];

  function describe() {
    const fault = known[fields.name.value];
    at("what").textContent = fault.what;
    for (const name of optional) {
      fields[name].parentElement.hidden = !fault.taken.includes(name);
      if (name in fault.defaults) fields[name].placeholder = fault.defaults[name];
      else if (name !== "code") fields[name].placeholder = "";
    }
  }

  function choose(name) {
    fields.name.value = name;
    describe();
  }

  submitted("fault", async () => {
    const given = Object.fromEntries(optional
      .filter(name => fields[name].value && !fields[name].parentElement.hidden)
      .map(name => [name, TEXTS.has(name) ? fields[name].value : Number(fields[name].value)]));
    await ask("POST", "/faults", {
      name: fields.name.value, share: fields.share.value ? number(fields.share) : undefined, from_s: number(fields.from_s),
      for_s: number(fields.for_s), ...given,
    });
  });
  pressed("clear", () => ask("DELETE", "/faults"));
  fields.name.addEventListener("change", describe);
  choose("late-result");
  catalogue(choose);
}

export function controls() {
  clockAndOutage();
  faults();
}
