"use strict";
// Operators who sign in as people do.

const PASSWORD = "correct horse battery staple";

/** Opens the panel with the development server's link, in one click. */
async function enter(page, link) {
  await page.goto(link);
  await page.getByRole("button", { name: "Open the admin panel" }).click();
  await page.waitForURL("**/admin");
}

/** Follows an invitation, chooses a password, and goes on without a second factor. */
async function join(page, link, name) {
  await page.goto(link);
  await page.getByLabel("Your name").fill(name);
  await page.getByLabel("New password").fill(PASSWORD);
  await page.getByRole("button", { name: "Go on" }).click();
  await page.getByRole("button", { name: "Not on this development server" }).click();
  await page.waitForURL("**/admin");
}

module.exports = { PASSWORD, enter, join };
