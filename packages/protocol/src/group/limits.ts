/** Administrators that a group has at most; owners as well (spec X-13). */
export const maxAdministrators = 50;
/** Longest name of a group, in bytes. */
export const maxGroupNameBytes = 128;
/** Longest description of a group, in bytes. */
export const maxDescriptionBytes = 2048;
