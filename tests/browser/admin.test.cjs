"use strict";
// What operators do in the admin panel, in a real browser.

const assert = require("node:assert/strict");
const { after, before, test } = require("node:test");

const { DESKTOP, PHONE, launch, open } = require("./support/browser.cjs");
const { Dev } = require("./support/dev.cjs");
const { findings } = require("./support/axe.cjs");
const { PASSWORD, enter, join } = require("./support/people.cjs");
const { shoot } = require("./support/shots.cjs");
const totp = require("./support/totp.cjs");

let dev;
let browser;

before(async () => {
  [dev, browser] = await Promise.all([Dev.start(), launch()]);
  await dev.buy("u_ana", { email: "ana@example.com", name: "Ana Silva" }, "growth");
  await dev.buy("u_bo", { email: "bo@example.com", name: "Bo Lind" }, "starter");
  await dev.buy("u_di", { email: "di@example.com", name: "Di Marsh" }, "growth");
  await dev.call("PUT", "/v1/customers/u_cy", { email: "cy@example.com", name: "Cy" });
});

after(async () => {
  await browser?.close();
  await dev?.stop();
});

/** An owner in a window of their own, through a link that is made for them. */
async function owner(options) {
  const window = await open(browser, options);
  await enter(window.page, dev.cli("admin", "link").link);
  return window;
}

test("the first link leads to a password, a code and the panel, and works once", async () => {
  const { page, context, complaints } = await open(browser);
  await page.goto(dev.ready.admin);
  await page.getByText("Or set up sign-in as in production").click();
  await page.getByLabel("Your name").fill("Ana Admin");
  await page.getByLabel("E-mail").fill("admin@example.com");
  await page.getByLabel("New password").fill(PASSWORD);
  await shoot(page, "admin-link");
  await page.getByRole("button", { name: "Go on" }).click();
  await page.getByRole("img", { name: /QR code/ }).waitFor();
  const secret = await page.locator("#secret").innerText();
  await page.getByLabel("Code of your app").fill(totp.code(secret));
  await page.getByRole("button", { name: "Turn it on" }).click();
  assert.equal(await page.locator(".codes li").count(), 8);
  await page.getByRole("link", { name: "I have kept them" }).click();
  await page.getByRole("heading", { name: "Home" }).waitFor();

  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByLabel("E-mail").fill("admin@example.com");
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByLabel(/Code of your app/).fill(totp.code(secret, 30));
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "Home" }).waitFor();
  const used = await page.goto(dev.ready.admin);
  assert.equal(used.status(), 410);
  assert.deepEqual(complaints, []);
  await context.close();
});

test("a customer is found, and what happened to them is told with why and who", async () => {
  const { page, context, complaints } = await owner();
  await shoot(page, "admin-home");
  await page.getByRole("link", { name: "Customers", exact: true }).click();
  await page.getByLabel("Id, e-mail or name").fill("silva");
  await page.getByRole("button", { name: "Find" }).click();
  await shoot(page, "admin-customers");
  assert.equal(await page.getByRole("link", { name: "Bo Lind" }).count(), 0);
  await page.getByRole("link", { name: "Ana Silva" }).click();
  await page.getByText("Subscription began").waitFor();
  await shoot(page, "admin-customer");
  await page.getByText("Inside").first().click();
  await page.getByLabel("New note").fill("Asked about invoices");
  await page.getByRole("button", { name: "Keep the note" }).click();
  await page.getByText("The note is kept.").waitFor();
  await page.getByText("Asked about invoices").waitFor();
  assert.deepEqual(complaints, []);
  await context.close();
});

test("a plan is changed at exactly the price that was shown", async () => {
  const { page, context } = await owner();
  await page.goto(`${dev.api}/admin/customers/u_bo`);
  await page.getByText("Change the plan").click();
  await page.getByLabel("To", { exact: true }).selectOption("growth");
  await page.getByRole("button", { name: "Show what it costs" }).click();
  const button = page.getByRole("button", { name: /^Charge \$/ });
  const words = await button.innerText();
  assert.match(words, /^Charge \$\d+\.\d\d to Bo Lind and change the plan$/);
  assert.equal(await page.evaluate(() => document.activeElement.tagName), "BODY");
  await shoot(page, "admin-change");
  await button.click();
  await page.getByText("Done: the change is in force.").waitFor();
  const state = await dev.call("GET", "/v1/customers/u_bo/state");
  assert.equal(state.plan, "growth");
  const invoices = await dev.call("GET", "/v1/invoices?customer=u_bo");
  const charged = words.match(/\$([\d.]+)/)[1].replace(".", "");
  assert.equal(String(invoices.data[0].total.amount), charged);
  await context.close();
});

test("an event that nobody understood is looked at and handled again", async () => {
  const { page, context } = await owner();
  await page.goto(`${dev.api}/admin/events`);
  await page.locator("[data-row] a").first().click();
  await page.getByRole("link", { name: "Handle it again…" }).click();
  await page.getByText(/nothing would change|does not concern us/).waitFor();
  await page.getByRole("button", { name: "Handle it again" }).click();
  await page.getByText("It is handled again now.").waitFor();
  await context.close();
});

test("money goes back when finance agrees to what support asked for", async () => {
  const support = await open(browser);
  await join(support.page, dev.cli("admin", "invite", "su@example.com", "--role", "support").link, "Su Support");
  await support.page.goto(`${dev.api}/admin/customers/u_di`);
  await support.page.getByRole("link", { name: "Money back…" }).click();
  await support.page.getByText("The policy allows it.").waitFor();
  await support.page.getByLabel("Reason, at least 10 characters").fill("It was bought by mistake");
  await support.page.getByRole("button", { name: "Show what happens" }).click();
  await support.page.getByRole("button", { name: /^Ask for \$[\d.]+ back for Di Marsh$/ }).click();
  await support.page.getByText("to decide").first().waitFor();
  assert.equal(await support.page.getByRole("button", { name: /^Refund/ }).count(), 0);
  await support.context.close();

  const finance = await open(browser);
  await join(finance.page, dev.cli("admin", "invite", "fi@example.com", "--role", "finance").link, "Fi Finance");
  await finance.page.getByRole("link", { name: /refunds to decide/ }).click();
  await shoot(finance.page, "admin-refunds");
  await finance.page.locator("[data-row] a[data-first]").first().click();
  await shoot(finance.page, "admin-refund");
  await finance.page.getByRole("button", { name: /^Refund \$[\d.]+ to Di Marsh$/ }).click();
  await finance.page.getByText("Agreed").waitFor();
  assert.equal(await finance.page.getByRole("button", { name: /^Refund/ }).count(), 0);
  await finance.context.close();
});

test("somebody who may only look sees no way to change anything, and has none", async () => {
  const link = dev.cli("admin", "invite", "vi@example.com", "--role", "viewer").link;
  const { page, context } = await open(browser);
  await join(page, link, "Vi Viewer");
  await page.goto(`${dev.api}/admin/customers/u_ana`);
  assert.equal(await page.getByText("Change the plan").count(), 0);
  const places = page.getByRole("navigation", { name: "Admin" });
  assert.equal(await places.getByRole("link", { name: "Customers" }).count(), 1);
  assert.equal(await places.getByRole("link", { name: "Team" }).count(), 0);
  for (const path of ["/admin/team", "/admin/keys", "/admin/customers/u_ana/refund", "/admin/customers/u_ana/change?what=cancel"]) {
    const answer = await page.goto(dev.api + path);
    assert.equal(answer.status(), 403, path);
    await page.getByText("Not for your role").waitFor();
  }
  await context.close();
});

test("the keyboard alone is enough", async () => {
  const { page, context } = await owner();
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Skip to the page");
  await page.keyboard.press("Enter");
  await page.keyboard.press("g");
  await page.keyboard.press("c");
  await page.waitForURL("**/admin/customers");
  await page.keyboard.press("/");
  await page.keyboard.type("silva");
  await page.keyboard.press("Enter");
  await page.waitForURL("**q=silva**");
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: /Ana Silva/ }).waitFor();
  for (const _ of [1, 2, 3]) await page.keyboard.press("Tab");
  const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
  assert.equal(outline, "solid");
  await context.close();
});

test("every screen reads and submits without scripts", async () => {
  const { page, context } = await owner({ javaScriptEnabled: false });
  for (const path of SCREENS) {
    const answer = await page.goto(dev.api + path);
    assert.equal(answer.status(), 200, path);
    assert.ok(await page.locator("h1").count(), path);
  }
  await page.goto(`${dev.api}/admin/customers/u_cy`);
  await page.getByLabel("New note").fill("Without scripts");
  await page.getByRole("button", { name: "Keep the note" }).click();
  await page.getByText("The note is kept.").waitFor();
  await context.close();
});

const SCREENS = [
  "/admin",
  "/admin/customers",
  "/admin/customers/u_ana",
  "/admin/customers/u_ana/overrides",
  "/admin/customers/u_ana/change?what=cancel",
  "/admin/customers/u_ana/refund",
  "/admin/refunds?state=",
  "/admin/disputes",
  "/admin/catalog",
  "/admin/events",
  "/admin/outbox",
  "/admin/drift",
  "/admin/checks",
  "/admin/lab",
  "/admin/keys",
  "/admin/team",
  "/admin/audit",
  "/admin/you",
  "/admin/help",
];

for (const colorScheme of ["light", "dark"]) {
  for (const [name, viewport] of Object.entries({ desktop: DESKTOP, phone: PHONE })) {
    test(`axe finds nothing serious on any screen: ${colorScheme}, ${name}`, async () => {
      const { page, context, complaints } = await owner({ colorScheme, viewport });
      for (const path of SCREENS) {
        await page.goto(dev.api + path);
        assert.deepEqual(await findings(page), [], path);
        const wider = await page.evaluate(
          () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
        );
        assert.ok(wider <= 0, `${path} is ${wider} px wider than the ${name}`);
      }
      await page.goto(`${dev.api}/admin/customers/u_ana`);
      if (name === "phone" || colorScheme === "dark") await shoot(page, `admin-customer-${colorScheme}-${name}`);
      assert.deepEqual(complaints, []);
      await context.close();
    });
  }
}

test("axe finds nothing serious at the door", async () => {
  const { page, context } = await open(browser);
  for (const path of ["/admin/sign-in", new URL(dev.cli("admin", "link").link).pathname, "/admin/link/none"]) {
    await page.goto(dev.api + path);
    assert.deepEqual(await findings(page), [], path);
  }
  await context.close();
});
