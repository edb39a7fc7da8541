/** Where what is known of links lies in the store: what the log said, what this device was given, and where this person knocked. */
export const bookPrefix = "join-links/";
export const heldPrefix = "join-links-held/";
export const knockPrefix = "join-knocks/";
