// The official Node SDK, pointed at a sandbox that lives below a path.

const Stripe = require('stripe');

function client(url, key) {
  const base = new URL(url);
  const prefix = base.pathname.replace(/\/$/, '');
  // The SDK takes a host, a port and a protocol, but no path before /v1: the client adds it.
  const node = Stripe.createNodeHttpClient();
  const makeRequest = node.makeRequest.bind(node);
  node.makeRequest = (host, port, path, ...rest) => makeRequest(host, port, prefix + path, ...rest);
  return new Stripe(key, {
    host: base.hostname,
    port: base.port,
    protocol: 'http',
    maxNetworkRetries: 0,
    httpClient: node,
  });
}

module.exports = {client};
