"use strict";
// What customers do on their billing page, in a real browser.

const assert = require("node:assert/strict");
const { after, before, test } = require("node:test");

const { DESKTOP, PHONE, launch, open } = require("./support/browser.cjs");
const { Dev } = require("./support/dev.cjs");
const { findings } = require("./support/axe.cjs");
const { shoot } = require("./support/shots.cjs");

let dev;
let browser;

before(async () => {
  [dev, browser] = await Promise.all([Dev.start(), launch()]);
});

after(async () => {
  await browser?.close();
  await dev?.stop();
});

/** A customer who has bought nothing yet, in a window with their billing page. */
async function visit(id, options) {
  await dev.call("PUT", `/v1/customers/${id}`, { email: `${id}@example.com`, name: id });
  return enter(id, options);
}

async function enter(id, options) {
  const window = await open(browser, options);
  const link = await dev.call("POST", `/v1/customers/${id}/sessions`, {});
  await window.page.goto(link.url);
  await window.page.getByRole("heading", { name: "Overview" }).waitFor();
  return window;
}

/** What the sandbox does wrong next. */
async function scenario(name, form) {
  const answer = await fetch(`${dev.api}/sandbox/stripe/_scenario/${name}`, {
    method: "POST",
    body: new URLSearchParams(form),
  });
  assert.equal(answer.status, 200, await answer.text());
}

async function choose(page, plan) {
  await page.getByRole("link", { name: "Plans", exact: true }).click();
  await page.getByRole("link", { name: `Choose ${plan}`, exact: true }).click();
}

async function pay(page) {
  await page.getByLabel(/card/i).first().fill("4242424242424242");
  await page.getByRole("button", { name: /^(Pay|Subscribe|Start)/ }).click();
}

test("a plan is bought with the test card, and celebrated only once it is settled", async () => {
  const { page, context, complaints } = await visit("b_buy");
  await choose(page, "Growth");
  assert.equal(await page.locator("#due").innerText(), "$69.00");
  await page.getByRole("button", { name: "Go to payment" }).click();
  await scenario("webhook_lost", { times: "all" });
  await scenario("rate_limited", { call: "GET /v1/checkout/sessions", times: "all" });
  await pay(page);
  await page.getByRole("heading", { name: "Waiting for your payment" }).waitFor({ timeout: 60_000 });
  assert.equal(await page.locator(".confetti").count(), 0, "nothing is celebrated yet");
  await shoot(page, "billing-waiting");
  await scenario("calm", {});
  // The page looks again by itself, and the provider is left alone for a while before that.
  await page.getByText("You are on Growth").waitFor({ timeout: 90_000 });
  assert.equal(await page.locator(".confetti").count(), 1);
  await shoot(page, "billing-success");
  await page.getByRole("link", { name: "To the overview" }).click();
  await page.getByText("Next charge:").waitFor();
  await shoot(page, "billing-overview");
  assert.deepEqual(complaints, []);
  await context.close();
});

test("nothing moves for whoever asked for less motion", async () => {
  const { page, context } = await visit("b_still", { reducedMotion: "reduce" });
  await choose(page, "Growth");
  await page.getByRole("button", { name: "Go to payment" }).click();
  await pay(page);
  await page.getByText("You are on Growth").waitFor();
  assert.equal(await page.locator(".confetti").isVisible(), false);
  await context.close();
});

test("an upgrade charges exactly what was shown", async () => {
  await dev.buy("b_up", { email: "b_up@example.com" }, "growth");
  const { page, context, complaints } = await enter("b_up");
  await choose(page, "Pro");
  const due = await page.locator("#due").innerText();
  await shoot(page, "billing-upgrade");
  await page.getByRole("button", { name: `Pay ${due} and change now` }).click();
  await page.getByText("Your new plan counts from now on").waitFor();
  const invoices = await dev.call("GET", "/v1/invoices?customer=b_up");
  assert.equal(`$${(invoices.data[0].total.amount / 100).toFixed(2)}`, due);
  await page.getByRole("link", { name: "Invoices" }).click();
  await page.getByRole("cell", { name: due }).first().waitFor();
  assert.deepEqual(complaints, []);
  await context.close();
});

test("a refused downgrade says what has to go", async () => {
  await dev.buy("b_down", { email: "b_down@example.com" }, "growth");
  await dev.call("POST", "/v1/consume", { customer: "b_down", feature: "chatbots", amount: 5 });
  const { page, context } = await enter("b_down");
  await choose(page, "Starter");
  await page.getByRole("alert").getByText(/Delete 2 chatbots before moving to Starter/).waitFor();
  assert.equal(await page.getByRole("button", { name: /Change|Pay/ }).count(), 0);
  await shoot(page, "billing-refused");
  await context.close();
});

test("of two tabs the second is told that a change is in progress", async () => {
  await dev.buy("b_tabs", { email: "b_tabs@example.com" }, "growth");
  const { page, context } = await enter("b_tabs");
  const second = await context.newPage();
  await second.goto(`${dev.api}/b/cancel`);
  await choose(page, "Pro");
  await scenario("lost_after", { call: "POST /v1/subscriptions", times: "1" });
  // Its answer does not come for a while: meanwhile the other tab acts.
  page.getByRole("button", { name: /and change now/ }).click().catch(() => {});
  const third = await context.newPage();
  for (let looks = 0; looks < 40; looks += 1) {
    await third.goto(`${dev.api}/b`);
    if (await third.getByText("A change is being carried out").count()) break;
  }
  await second.getByRole("button", { name: "Cancel the plan" }).click();
  await second.getByRole("heading", { name: "Another change is in progress" }).waitFor();
  await context.close();
});

test("a plan is canceled and kept after all, with the keyboard alone", async () => {
  await dev.buy("b_cancel", { email: "b_cancel@example.com" }, "growth");
  const { page, context } = await enter("b_cancel");
  const reach = async (name) => {
    for (let step = 0; step < 60; step += 1) {
      await page.keyboard.press("Tab");
      const text = await page.evaluate(() => document.activeElement?.textContent?.trim());
      if (text === name) return;
    }
    assert.fail(`the keyboard does not reach ${name}`);
  };
  await reach("Cancel the plan");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "What happens" }).waitFor();
  await reach("Cancel the plan");
  await page.keyboard.press("Enter");
  await page.getByText("Your plan is canceled and will not be charged again").waitFor();
  await reach("Keep my plan");
  await page.keyboard.press("Enter");
  await page.getByText("Nothing ends: you keep your plan.").waitFor();
  await context.close();
});

test("everything works without scripts", async () => {
  const { page, context } = await visit("b_plain", { javaScriptEnabled: false });
  await choose(page, "Growth");
  await page.getByRole("button", { name: "Go to payment" }).click();
  await pay(page);
  await page.getByText("You are on Growth").waitFor();
  await page.getByRole("link", { name: "To the overview" }).click();
  await page.getByRole("link", { name: "Payment methods" }).click();
  await page.getByText("Visa ending in 4242", { exact: true }).waitFor();
  await page.getByRole("button", { name: "Add a card" }).click();
  await page.getByLabel(/card/i).first().fill("5555555555554444");
  await page.getByRole("button", { name: /Save/ }).click();
  await page.getByText("The card is stored. It pays from now on.").waitFor();
  await context.close();
});

for (const colorScheme of ["light", "dark"]) {
  for (const [width, viewport] of [["desktop", DESKTOP], ["phone", PHONE]]) {
    test(`axe finds nothing serious in ${colorScheme} on a ${width}`, async () => {
      await dev.buy("b_axe", { email: "b_axe@example.com" }, "growth").catch(() => {});
      const { page, context } = await enter("b_axe", { colorScheme, viewport });
      const pages = ["", "/plans", "/plans/pro", "/plans/starter", "/packs", "/payment-methods", "/invoices", "/trial", "/cancel", "/nothing"];
      for (const at of pages) {
        await page.goto(`${dev.api}/b${at}`);
        assert.deepEqual(await findings(page), [], `/b${at}`);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        assert.ok(wide <= 0, `/b${at} is ${wide} px wider than the window`);
        if (["", "/plans"].includes(at)) await shoot(page, `billing${at.replace("/", "-")}-${colorScheme}-${width}`);
      }
      await context.close();
    });
  }
}
