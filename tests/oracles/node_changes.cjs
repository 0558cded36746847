// The official Node SDK upgrades, schedules a downgrade and refunds: node node_changes.cjs URL KEY
// Prints one line of JSON with what it saw; any surprise ends it with a stack trace.

const assert = require('assert');
const {client} = require('./node_client.cjs');

const stripe = client(process.argv[2], process.argv[3]);

async function subscribe() {
  const customer = await stripe.customers.create({
    email: 'changes@example.com',
    payment_method: 'pm_card_visa',
    invoice_settings: {default_payment_method: 'pm_card_visa'},
    metadata: {customer: 'node-2'},
  });
  const product = await stripe.products.create({name: 'Plans'});
  const price = (unit_amount) =>
    stripe.prices.create({
      product: product.id,
      currency: 'usd',
      unit_amount,
      recurring: {interval: 'month'},
    });
  const [small, large] = [await price(4900), await price(9900)];
  const subscription = await stripe.subscriptions.create({
    customer: customer.id,
    items: [{price: small.id}],
  });
  return {subscription, small, large};
}

async function upgrade({subscription, large}) {
  const items = [{id: subscription.items.data[0].id, price: large.id, quantity: 1}];
  const change = {items, proration_behavior: 'always_invoice'};
  const preview = await stripe.invoices.createPreview({
    subscription: subscription.id,
    subscription_details: change,
  });
  const changed = await stripe.subscriptions.update(subscription.id, {
    ...change,
    proration_date: preview.parent.subscription_details.subscription_proration_date,
    payment_behavior: 'pending_if_incomplete',
    expand: ['latest_invoice.payments.data.payment.payment_intent'],
  });
  const invoice = changed.latest_invoice;
  assert.strictEqual(changed.items.data[0].price.id, large.id);
  assert.strictEqual(changed.pending_update, null);
  assert.strictEqual(invoice.total, preview.total);
  assert.strictEqual(invoice.billing_reason, 'subscription_update');
  const lines = invoice.lines.data;
  assert(lines.every((line) => line.parent.subscription_item_details.proration));
  assert.strictEqual(lines.reduce((sum, line) => sum + line.amount, 0), invoice.total);
  return invoice;
}

async function schedule({subscription, small, large}) {
  const made = await stripe.subscriptionSchedules.create({from_subscription: subscription.id});
  const [now] = made.phases;
  const planned = await stripe.subscriptionSchedules.update(made.id, {
    end_behavior: 'release',
    phases: [
      {
        items: [{price: large.id, quantity: 1}],
        start_date: now.start_date,
        end_date: now.end_date,
      },
      {
        items: [{price: small.id, quantity: 1}],
        duration: {interval: 'month'},
        proration_behavior: 'none',
      },
    ],
  });
  const managed = await stripe.subscriptions.retrieve(subscription.id);
  assert.strictEqual(managed.schedule, made.id);
  await assert.rejects(
    stripe.subscriptions.update(subscription.id, {cancel_at_period_end: true}),
    /managed by the subscription schedule/
  );
  const released = await stripe.subscriptionSchedules.release(made.id);
  assert.strictEqual(released.released_subscription, subscription.id);
  return {phases: planned.phases.length, status: released.status};
}

async function refund(invoice) {
  const intent = invoice.payments.data[0].payment.payment_intent;
  const made = await stripe.refunds.create({
    payment_intent: intent.id,
    reason: 'requested_by_customer',
    metadata: {order: '1'},
  });
  const charge = await stripe.charges.retrieve(intent.latest_charge);
  return {whole: made.amount === invoice.amount_paid, status: made.status, refunded: charge.refunded};
}

async function walk() {
  const bought = await subscribe();
  const invoice = await upgrade(bought);
  return {
    upgrade: invoice.status,
    schedule: await schedule(bought),
    refund: await refund(invoice),
  };
}

walk().then((seen) => console.log(JSON.stringify(seen)));
