// The official Node SDK as signer and verifier. Reads one JSON request from standard input:
//   {"do": "sign", "payload", "secret", "timestamp"?}   answers {"header"}
//   {"do": "verify", "payload", "secret", "header"}     answers {"type"} or {"refused"}

const fs = require('fs');
const Stripe = require('stripe');

const stripe = new Stripe('sk_test_oracles');
const request = JSON.parse(fs.readFileSync(0, 'utf8'));

function answer() {
  const {payload, secret, header, timestamp} = request;
  if (request.do === 'sign') {
    return {header: stripe.webhooks.generateTestHeaderString({payload, secret, timestamp})};
  }
  try {
    return {type: stripe.webhooks.constructEvent(payload, header, secret).type};
  } catch (error) {
    return {refused: error.message.split('\n')[0]};
  }
}

console.log(JSON.stringify(answer()));
