// The yardstick: node-smpp (npm "smpp") with nothing around it. Every bind is welcome, every submit_sm is answered at
// once, and a receipt follows in the same turn if one was asked for. No rules, no money, nothing stored.
// Invariant: one response and at most one receipt a message, with the same id, so the generator can compare the sets.
'use strict';

const smpp = require('smpp');

const [port, host = '127.0.0.1'] = process.argv.slice(2);
let lastId = 2 ** 32;                    // so that every id has the same length, as a real server's would

function stamp(date) {
  return date.toISOString().replace(/\D/g, '').slice(2, 12);
}

// The minute hardly ever changes; the yardstick must not pay for a date a message.
let minute = stamp(new Date());
setInterval(() => { minute = stamp(new Date()); }, 1000).unref();

function receipt(id, request) {
  return {
    source_addr_ton: request.dest_addr_ton,
    source_addr_npi: request.dest_addr_npi,
    source_addr: request.destination_addr,
    dest_addr_ton: request.source_addr_ton,
    dest_addr_npi: request.source_addr_npi,
    destination_addr: request.source_addr,
    esm_class: smpp.consts.ESM_CLASS.MC_DELIVERY_RECEIPT,
    short_message: `id:${id} sub:001 dlvrd:001 submit date:${minute} done date:${minute}` +
      ' stat:DELIVRD err:000 text:The quick brown fox ',
  };
}

const server = smpp.createServer((session) => {
  const welcome = (request) => session.send(request.response());
  for (const bind of ['bind_transceiver', 'bind_transmitter', 'bind_receiver', 'enquire_link']) {
    session.on(bind, welcome);
  }
  session.on('submit_sm', (request) => {
    const id = (++lastId).toString(16);
    session.send(request.response({ message_id: id }));
    if (request.registered_delivery & 1) session.deliver_sm(receipt(id, request));
  });
  session.on('unbind', (request) => {
    session.send(request.response());
    session.close();
  });
  session.on('error', () => session.destroy());   // a generator that left in a hurry
});

server.listen(Number(port), host, () => console.log(`listening on ${server.address().port}`));
