// A phone: the texts a subscriber received, and a text to send.

import {ask, at, choices, el, every, facts, notify, pressed, submitted} from "./parts.js";

const SHOWN = 20;

export function phone(seen) {
  const fields = at("phone").elements;
  fields.subscriber.value = facts.subscriber;
  choices(fields.to, facts.codes);

  function subscriber() {
    const entered = fields.subscriber.value.trim();
    if (!/^\+?[0-9]{3,18}$/.test(entered)) throw new Error("not a valid phone number");
    return encodeURIComponent(entered);
  }

  async function show(fresh) {
    const who = await ask("GET", `/subscribers/${subscriber()}`);
    at("standing").textContent = `${who.standing}, ${who.attached ? "on" : "off"}`;
    const texts = await ask("GET", `/subscribers/${subscriber()}/texts?fresh=${fresh}`);
    at("screen").replaceChildren(...texts.slice(-SHOWN).reverse().map(each => (
      el("div", {className: each.way}, el("small", {}, each.way === "in" ? each.code : "me"), el("span", {}, each.text))
    )));
  }

  async function send(text) {
    const asked = {sender: fields.subscriber.value.trim(), code: fields.to.value, text, wait_s: 2};
    const sent = await ask("POST", "/mo", asked);
    notify(sent.acknowledged ? "acknowledged" : "sent; not acknowledged yet");
    fields.text.value = "";
    await show(true);
  }

  async function turn(state) {
    await ask("POST", `/subscribers/${subscriber()}/${state}`);
    await show(true);
  }

  submitted("phone", () => send(fields.text.value));
  pressed("stop", () => send("STOP"));
  pressed("on", () => turn("attach"));
  pressed("off", () => turn("detach"));

  let stands = "";
  every(2000, async () => {
    const now = JSON.stringify([seen.rows.centre, seen.rows.events, fields.subscriber.value]);
    if (seen.rows.centre === undefined || seen.answered > facts.followed || now === stands) return;
    stands = now;
    await show(false);
  });
}
