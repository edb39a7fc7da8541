/** Blinding as the client does it, for who measures it in a browser: nothing else comes along. */
export { blindInput, finishBatch } from "../tokens/blinding.ts";
