// Loaded before a program whose clock is to be off: `E2E_CLOCK_AHEAD_MS` says by how much.
const aheadMs = Number(process.env["E2E_CLOCK_AHEAD_MS"] ?? 0);
const now = Date.now;
Date.now = () => now() + aheadMs;
