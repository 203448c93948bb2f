/** Preloaded into every Node.js process of the tests: a connection to any address except loopback throws an error. */
const net = require("node:net");

const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|::1|::ffff:127\.\d+\.\d+\.\d+)$/;

/** The hosts outside this machine that this process tried to reach. */
exports.refused = [];

const connect = net.Socket.prototype.connect;
net.Socket.prototype.connect = function guarded(...args) {
  const [first] = Array.isArray(args[0]) ? args[0] : args;
  const { host, path } = typeof first === "object" && first !== null ? first : { path: first };
  if (!path && typeof host === "string" && !LOOPBACK.test(host)) {
    exports.refused.push(host);
    throw new Error(`a test tried to reach ${host}: tests stay on this machine`);
  }
  return connect.apply(this, args);
};
