"use strict";
// A development server of its own for every test file: the real binary on a free port, in a folder
// that is removed afterwards.

const { spawn, execFileSync } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const readline = require("node:readline");

const FARTHING = process.env.FARTHING_BIN;
if (!FARTHING) throw new Error("FARTHING_BIN names no binary: run `cargo xtask test browser`");

/** How long a server may take until it is ready, in milliseconds. */
const READY_WITHIN = 60_000;

class Dev {
  /** Starts a server and waits until it is ready. */
  static async start() {
    const dev = new Dev();
    dev.data = fs.mkdtempSync(path.join(os.tmpdir(), "farthing-browser-"));
    dev.process = spawn(FARTHING, ["dev", "--json", "--port", "0", "--data", dev.data], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { PATH: process.env.PATH, NO_COLOR: "1" },
    });
    dev.log = "";
    dev.process.stderr.on("data", (text) => (dev.log += text));
    dev.ready = await dev.readyLine();
    dev.api = dev.ready.api;
    return dev;
  }

  readyLine() {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`not ready in time: ${this.log}`)), READY_WITHIN);
      readline.createInterface({ input: this.process.stdout }).once("line", (line) => {
        clearTimeout(late);
        resolve(JSON.parse(line));
      });
      this.process.once("exit", (code) => reject(new Error(`ended with ${code}: ${this.log}`)));
    });
  }

  /** One call of the API with the full key; answers the body, and fails on an error. */
  async call(method, route, body) {
    const response = await fetch(this.api + route, {
      method,
      headers: { authorization: `Bearer ${this.ready.key}`, "content-type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${route}: ${response.status} ${text}`);
    return text ? JSON.parse(text) : null;
  }

  /** A command on this server's database; answers what it prints as JSON. */
  cli(...words) {
    const all = [...words, "--json", "--data", this.data];
    const env = { PATH: process.env.PATH, NO_COLOR: "1" };
    return JSON.parse(execFileSync(FARTHING, all, { env, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }));
  }

  /** A customer who has bought a plan with the test card. */
  async buy(customer, profile, plan) {
    await this.call("PUT", `/v1/customers/${customer}`, profile);
    const checkout = await this.call("POST", "/v1/checkouts", { customer, plan, trial: false });
    const paid = await fetch(checkout.url, {
      method: "POST",
      redirect: "manual",
      body: new URLSearchParams({ card: "4242424242424242" }),
    });
    if (paid.status !== 303) throw new Error(`the checkout page answered ${paid.status}`);
    await this.call("GET", `/v1/checkouts/${checkout.id}?wait=10`);
  }

  /** Stops the server and removes its folder. */
  async stop() {
    this.process.removeAllListeners("exit");
    const ended = new Promise((resolve) => this.process.once("exit", resolve));
    this.process.kill("SIGTERM");
    await ended;
    fs.rmSync(this.data, { recursive: true, force: true });
  }
}

module.exports = { Dev };
