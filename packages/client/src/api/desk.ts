/** What the desk of a server is asked and answers: for its page, which has no account and needs nothing else of the SDK. */
export * from "@latchkey/protocol/desk";
