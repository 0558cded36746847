"use strict";
// Pictures for the documents. They are written only when UPDATE_SCREENSHOTS is set.

const fs = require("node:fs");
const path = require("node:path");

const FOLDER = path.join(__dirname, "../../../docs/screenshots");

/** Takes a picture of what the window shows, in its size. */
async function shoot(page, name) {
  if (!process.env.UPDATE_SCREENSHOTS) return;
  fs.mkdirSync(FOLDER, { recursive: true });
  await page.screenshot({ path: path.join(FOLDER, `${name}.png`), animations: "disabled" });
}

module.exports = { shoot };
