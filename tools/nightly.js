// npm run test:nightly [-- --only STEP,... | --skip STEP,...]: as npm test, with the long profile of random sessions and fuzzing (hours).
process.env.LATCHKEY_NIGHTLY = "1";
await import("./test.js");
