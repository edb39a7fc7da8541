/** Whether the long profile runs: `npm test` tries of what is alike some, the night all. */
export const isNightly: boolean = process.env["LATCHKEY_NIGHTLY"] === "1";
