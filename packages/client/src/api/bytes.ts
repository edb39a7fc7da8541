/** How bytes are written as text, as in what a desk gets and gives. */
export { fromBase64Url, toBase64Url, toHex } from "@latchkey/codec";
