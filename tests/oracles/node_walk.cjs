// The official Node SDK walks through the sandbox: node node_walk.cjs URL KEY
// Prints one line of JSON with what it saw; any surprise ends it with a stack trace.

const assert = require('assert');
const {client} = require('./node_client.cjs');

const stripe = client(process.argv[2], process.argv[3]);

async function prepare() {
  const customer = await stripe.customers.create({
    email: 'node@example.com',
    metadata: {customer: 'node-1'},
  });
  const product = await stripe.products.create({name: 'Growth'});
  const price = await stripe.prices.create({
    product: product.id,
    currency: 'usd',
    unit_amount: 4900,
    recurring: {interval: 'month'},
    lookup_key: 'node_growth_month',
  });
  const found = await stripe.prices.list({lookup_keys: ['node_growth_month']});
  assert.deepStrictEqual(found.data.map((one) => one.id), [price.id]);
  return {customer, price};
}

async function buy({customer, price}) {
  const session = await stripe.checkout.sessions.create({
    mode: 'subscription',
    customer: customer.id,
    line_items: [{price: price.id, quantity: 1}],
    success_url: 'http://127.0.0.1/done',
  });
  const paid = await fetch(session.url, {
    method: 'POST',
    body: new URLSearchParams({card: '4242424242424242'}),
    redirect: 'manual',
  });
  assert.strictEqual(paid.status, 303);
  const done = await stripe.checkout.sessions.retrieve(session.id, {
    expand: ['subscription.latest_invoice'],
  });
  assert.strictEqual(done.status, 'complete');
  assert.strictEqual(done.payment_status, 'paid');
  return done.subscription;
}

async function refused(promise) {
  try {
    await promise;
  } catch (error) {
    return error.type;
  }
  throw new Error('this call should have been refused');
}

async function walk() {
  const prepared = await prepare();
  const subscription = await buy(prepared);
  const names = [];
  for await (const customer of stripe.customers.list({limit: 1})) {
    names.push(customer.email);
  }
  return {
    status: subscription.status,
    amount_paid: subscription.latest_invoice.amount_paid,
    price: subscription.items.data[0].price.lookup_key,
    customers: names.length,
    missing: await refused(stripe.customers.retrieve('cus_gone')),
    unknown: await refused(stripe.customers.create({colour: 'red'})),
  };
}

walk().then((seen) => console.log(JSON.stringify(seen)));
