import { of } from "./mutation.js";

const media = "apps/web/src/media";
const names = "packages/client/src/files";

/** Changes of what takes metadata out of files, tells what they are, and names them. */
export const mediaMutants = [
  ...of(
    `${media}/clean-jpeg.ts`,
    [`${media}/clean-jpeg.test.ts`],
    [
      ["a JPEG with its comments and unknown blocks", "if (kept !== undefined) parts.push(kept);", "parts.push(kept ?? segment);"],
      ["a JPEG with its small picture", ".fill(0, jfifBytes - 2)", ""],
      ["a JPEG with its whole Exif block", "orientationSegment(orientation);", "segment;"],
      ["a JPEG with what follows its end", "parts.push(Uint8Array.of(0xff, markers.endOfPicture));", "parts.push(bytes.subarray(at));"],
    ],
  ),
  ...of(
    `${media}/clean-png.ts`,
    [`${media}/clean-png.test.ts`],
    [
      ["a still PNG with pictures that nobody sees", "(frames !== undefined && ofTheAnimation.has(type))", "ofTheAnimation.has(type)"],
      ["a PNG with chunks that nobody knows", "else if (/^[A-Z]/.test(type)) return notWhatItSays;", "else parts.push(whole);"],
    ],
  ),
  ...of(
    `${media}/clean-webp.ts`,
    [`${media}/clean-webp.test.ts`],
    [
      ["a WebP that announces what is gone", "extended[8] = (data[0] ?? 0) & (flags.profile | flags.alpha | flags.animation);", ""],
      ["pictures of a WebP with chunks that nobody knows", "if (ofTheFrame.has(chunk.name)) parts.push", "parts.push"],
    ],
  ),
  ...of(
    `${media}/clean-gif.ts`,
    [`${media}/clean-gif.test.ts`],
    [
      ["a GIF with more than a number behind how often it is shown", "Uint8Array.of(...whole.subarray(0, loopBytes - 1), 0)", "whole"],
      ["a GIF with any block of an application", "label === labels.application && isLoop(whole)", "label === labels.application"],
    ],
  ),
  ...of(
    `${media}/clean-heif.ts`,
    [`${media}/clean-heif.test.ts`],
    [
      ["an AVIF with its documents", "for (const { from, to } of ranges) copy.fill(0, from, to);", ""],
      ["a document that lies where the picture is described", "from >= outer.from && to <= outer.to", "true"],
      ["a second list of items that nobody reads", "second === undefined ? first : undefined", "first"],
    ],
  ),
  ...of(
    `${media}/film-places.ts`,
    [`${media}/clean-video.test.ts`],
    [
      ["a film of which what stands behind its description is said to have moved", " && place < to", ""],
      ["a film with places that say less than where they are", "one.place + by <= largestPlace", "one.place + by > 0"],
      ["a film that goes on in parts, moved", '"saio", "mvex", ', '"saio", '],
    ],
  ),
  ...of(
    `${media}/film-boxes.ts`,
    [`${media}/clean-video.test.ts`],
    [
      ["a film with what is about it under another name", "bytes.fill(0, contentAt, end);", ""],
      ["a film with the time of its recording", "(bytes[contentAt] === 1 ? 20 : 12)", "4"],
      ["boxes without end in one another", "const [parent, ...below] = params.below;", 'const [parent, below] = ["trak", params.below];'],
    ],
  ),
  ...of(
    `${media}/sniff.ts`,
    [`${media}/sniff.test.ts`],
    [["a drawing with scripts taken for text", 'if (/<svg[\\s>/]/.test(begin)) return "svg";', ""]],
  ),
  ...of(
    `${media}/mp4-packets.ts`,
    [`${media}/mp4-packets.test.ts`],
    [["packets without end", "sizes.length + count > view.byteLength", "false"]],
  ),
  ...of(
    `${names}/file-name.ts`,
    [`${names}/file-name.test.ts`],
    [
      ["a name with folders", 'name.split(/[/\\\\]/u).findLast((part) => part.trim() !== "") ?? ""', "name"],
      ["a name of a device", "devices.test(plain) ? `_${plain}` : plain", "plain"],
      ["a name that is hidden, or an option", '.replace(/^[ .~-]+/u, "")', ""],
      ["a name that only looks clean before its folders go", "round < 8", "round < 0"],
    ],
  ),
];
