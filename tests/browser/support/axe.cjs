"use strict";
// What axe finds on a page: nothing serious or critical may be there.

const fs = require("node:fs");

const SOURCE = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** The serious findings of a page, as sentences. */
async function findings(page) {
  await page.evaluate(SOURCE);
  const found = await page.evaluate((tags) => window.axe.run({ runOnly: { type: "tag", values: tags } }), RULES);
  const serious = found.violations.filter((it) => ["serious", "critical"].includes(it.impact));
  return serious.flatMap((it) => it.nodes.map((node) => `${it.id}: ${it.help}: ${node.html} ${node.failureSummary}`));
}

module.exports = { findings };
