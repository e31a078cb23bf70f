// A customer that uses node-smpp. Reads a plan on stdin, carries it out, prints what came back as JSON.
//
// plan: { host, port, bind: "bind_transceiver", login: {...}, ask: [[command, params], ...], deliveries: n }
// { "hex": "..." } stands for octets; the octets that come back are written as hex.
"use strict";

const fs = require("fs");
const smpp = require("smpp");

Buffer.prototype.toJSON = function () {
  return this.toString("hex");
};

const plan = JSON.parse(fs.readFileSync(0, "utf8"), (_, value) =>
  value !== null && typeof value === "object" && "hex" in value ? Buffer.from(value.hex, "hex") : value,
);
const seen = { bind: null, answers: [], deliveries: [], unbind: null };

const session = smpp.connect({ host: plan.host, port: plan.port });
const ask = (command, params) =>
  new Promise((resolve) => session[command](params, (pdu) => resolve(JSON.parse(JSON.stringify(pdu)))));

let arrived = () => {};
session.on("deliver_sm", (pdu) => {
  seen.deliveries.push(JSON.parse(JSON.stringify(pdu)));
  session.send(pdu.response());
  arrived();
});
session.on("enquire_link", (pdu) => session.send(pdu.response()));
session.on("error", (error) => {
  console.error(error);
  process.exit(1);
});

session.on("connect", async () => {
  seen.bind = await ask(plan.bind, plan.login);
  if (seen.bind.command_status === 0) {
    // every request at once: node-smpp pipelines
    seen.answers = await Promise.all(plan.ask.map(([command, params]) => ask(command, params)));
    await new Promise((resolve) => {
      arrived = () => seen.deliveries.length >= plan.deliveries && resolve();
      arrived();
    });
    seen.unbind = await ask("unbind", {});
  }
  session.close(() => console.log(JSON.stringify(seen)));
});
