// The other half of jest-global-setup.js: the same process, so it finds what that one left.
module.exports = () => globalThis.endTestRun();
