"use strict";
// A real browser: Debian's Chromium, without anything of anybody's profile.

const { chromium } = require("playwright-core");

/** The widths that every screen is looked at in. */
const DESKTOP = { width: 1280, height: 900 };
const PHONE = { width: 390, height: 844 };

/** Starts the browser. */
function launch() {
  const root = process.getuid && process.getuid() === 0;
  return chromium.launch({
    executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
    // The sandbox of Chromium does not start as root.
    args: root ? ["--no-sandbox"] : [],
  });
}

/**
 * A window with cookies of its own. Options are those of Playwright; whatever a page says on the
 * console as an error, or loads from elsewhere, fails the test that asks `window.complaints`.
 */
async function open(browser, options = {}) {
  const context = await browser.newContext({ viewport: DESKTOP, ...options });
  context.setDefaultTimeout(20_000);
  const page = await context.newPage();
  const complaints = [];
  page.on("console", (message) => {
    if (message.type() === "error" && !/status of (4|5)\d\d/.test(message.text())) {
      complaints.push(message.text());
    }
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("request", (request) => {
    const host = new URL(request.url()).hostname;
    if (host !== "127.0.0.1") complaints.push(`loads ${request.url()}`);
  });
  return { context, page, complaints };
}

module.exports = { DESKTOP, PHONE, launch, open };
