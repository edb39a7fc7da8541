/** Longest text of one message, in bytes of UTF-8. */
export const maxTextBytes = 65_536;
/** Most files of one message: an entry names 32 blobs, and its own content may be one of them. */
export const maxFiles = 30;
/** Longest name of a file, in UTF-16 units. */
export const maxFileName = 255;
/** Longest description of what a file shows, in UTF-16 units. */
export const maxFileDescription = 1500;
/** A picture of a person or a group at most, in bytes: what a bucket of 64 KiB has room for (spec X-21). */
export const maxPictureFileBytes = 65_512;
/** How wide and high such a picture is made at most, in pixels. */
export const maxPicturePx = 512;
export { maxFileBytes } from "../files/geometry.ts";
