// A shorter story, told through Stripe's official SDK for Node, unmodified: purchase, invoice, renewal, failure, refund,
// errors, pages, retries, signatures. Reads the server's address and a key from the environment; exits 1 at the first surprise.

import assert from "node:assert/strict";
import http from "node:http";
import Stripe from "stripe";

const server = new URL(process.env.VOLDAAN_ADDRESS);
const stripe = new Stripe(process.env.VOLDAAN_KEY, {
  host: server.hostname,
  port: server.port,
  protocol: "http",
  maxNetworkRetries: 0,
});
const MONDAY = 1772409600; // 2 March 2026, 00:00 UTC
const APRIL = 1775088000;
const MAY = 1777680000;
const HOUR = 3600;

async function until(look, met) {
  for (const end = Date.now() + 30_000; Date.now() < end; ) {
    const seen = await look();
    if (met(seen)) return seen;
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
  throw new Error("it did not come to it");
}

async function refused(promise, type, code, status) {
  const error = await promise.then(
    () => assert.fail("it was not refused"),
    (error) => error,
  );
  assert.ok(error instanceof type, `${error.type}: ${error.message}`);
  assert.equal(error.code, code);
  assert.equal(error.statusCode, status);
  assert.match(error.requestId, /^req_/);
  return error;
}

// Somebody listens.
const heard = [];
const listener = http
  .createServer((request, response) => {
    const parts = [];
    request.on("data", (part) => parts.push(part));
    request.on("end", () => {
      heard.push([Buffer.concat(parts), request.headers["stripe-signature"]]);
      response.end();
    });
  })
  .listen(0, "127.0.0.1");
await new Promise((resolve) => listener.once("listening", resolve));
const endpoint = await stripe.webhookEndpoints.create({
  url: `http://127.0.0.1:${listener.address().port}/hook`,
  enabled_events: ["invoice.paid"],
});

// A purchase on a test clock.
const clock = await stripe.testHelpers.testClocks.create({ frozen_time: MONDAY });
const advance = async (to) => {
  await stripe.testHelpers.testClocks.advance(clock.id, { frozen_time: to });
  const moved = await until(() => stripe.testHelpers.testClocks.retrieve(clock.id), (c) => c.status !== "advancing");
  assert.deepEqual([moved.status, moved.frozen_time], ["ready", to]);
};
const price = await stripe.prices.create({
  currency: "eur",
  unit_amount: 3100,
  recurring: { interval: "month" },
  product_data: { name: "Bread box" },
});
const anna = await stripe.customers.create({ name: "Anna", email: "anna@example.com", test_clock: clock.id });
const card = await stripe.paymentMethods.attach("pm_card_visa", { customer: anna.id });
await stripe.customers.update(anna.id, { invoice_settings: { default_payment_method: card.id } });
const subscription = await stripe.subscriptions.create({
  customer: anna.id,
  items: [{ price: price.id }],
  expand: ["latest_invoice.payments"],
});
assert.equal(subscription.status, "active");
assert.equal(subscription.items.data[0].current_period_end, APRIL);
const first = subscription.latest_invoice;
assert.deepEqual([first.status, first.total, first.amount_paid, first.currency], ["paid", 3100, 3100, "eur"]);
const intent = await stripe.paymentIntents.retrieve(first.payments.data[0].payment.payment_intent, {
  expand: ["latest_charge.balance_transaction"],
});
assert.equal(intent.latest_charge.balance_transaction.net, 3028);

// It renews; then the card fails and the invoice waits.
await advance(APRIL + 2 * HOUR);
const invoices = await stripe.invoices.list({ subscription: subscription.id }).autoPagingToArray({ limit: 10 });
assert.deepEqual(invoices.map((i) => [i.status, i.total]), [["paid", 3100], ["paid", 3100]]);
const broken = await stripe.paymentMethods.attach("pm_card_chargeCustomerFail", { customer: anna.id });
await stripe.customers.update(anna.id, { invoice_settings: { default_payment_method: broken.id } });
await advance(MAY + 2 * HOUR);
const [late] = (await stripe.invoices.list({ subscription: subscription.id, limit: 1 })).data;
assert.deepEqual([late.status, late.attempt_count, late.next_payment_attempt], ["open", 1, MAY + HOUR + 86400]);
assert.equal((await stripe.subscriptions.retrieve(subscription.id)).status, "past_due");
await refused(stripe.invoices.pay(late.id), Stripe.errors.StripeCardError, "card_declined", 402);
const paid = await stripe.invoices.pay(late.id, { payment_method: card.id });
assert.equal(paid.status, "paid");
assert.equal((await stripe.subscriptions.retrieve(subscription.id)).status, "active");

// Money back.
const refund = await stripe.refunds.create({ charge: intent.latest_charge.id, amount: 100 });
assert.deepEqual([refund.status, refund.amount], ["succeeded", 100]);

// Errors, retries, pages, metadata, search.
await refused(stripe.customers.retrieve("cus_x"), Stripe.errors.StripeInvalidRequestError, "resource_missing", 404);
await refused(stripe.customers.create({ wat: 1 }), Stripe.errors.StripeInvalidRequestError, "parameter_unknown", 400);
const stranger = new Stripe("sk_test_wrong", { host: server.hostname, port: server.port, protocol: "http", maxNetworkRetries: 0 });
await refused(stranger.customers.list(), Stripe.errors.StripeAuthenticationError, undefined, 401);
const twice = await Promise.all([
  stripe.products.create({ name: "Once" }, { idempotencyKey: "node-1", maxNetworkRetries: 5 }),
  stripe.products.create({ name: "Once" }, { idempotencyKey: "node-1", maxNetworkRetries: 5 }),
]);
assert.equal(twice[0].id, twice[1].id);
await refused(
  stripe.products.create({ name: "Other" }, { idempotencyKey: "node-1" }),
  Stripe.errors.StripeIdempotencyError,
  undefined,
  400,
);
for (let n = 0; n < 5; n++) await stripe.coupons.create({ percent_off: 10, duration: "once", name: `c${n}` });
const names = [];
for await (const coupon of stripe.coupons.list({ limit: 2 })) names.push(coupon.name);
assert.deepEqual(names, ["c4", "c3", "c2", "c1", "c0"]);
const found = await stripe.customers.search({ query: 'email:"anna@example.com"' });
assert.deepEqual(found.data.map((c) => c.id), [anna.id]);

// What was told can be believed.
const told = await until(() => heard, (h) => h.length >= 3);
const events = told.map(([body, signature]) => stripe.webhooks.constructEvent(body, signature, endpoint.secret));
assert.deepEqual([...new Set(events.map((e) => e.type))], ["invoice.paid"]);
assert.throws(() => stripe.webhooks.constructEvent(told[0][0], told[0][1], "whsec_wrong"));

listener.close();
listener.closeAllConnections();
console.log("the story is told");
