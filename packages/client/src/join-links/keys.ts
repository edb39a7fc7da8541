/** Where what is known of links lies in the store: what the log said, what this device was given, where this person knocked, and where they withdrew that. */
export const bookPrefix = "join-links/";
export const heldPrefix = "join-links-held/";
export const knockPrefix = "join-knocks/";
export const withdrawnPrefix = "join-knocks-withdrawn/";
