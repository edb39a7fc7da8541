/** The messages of a catalogue, compiled by the build (po-files.ts). */
declare module "*.po" {
  export const messages: Readonly<Record<string, import("./catalogue.ts").CompiledMessage>>;
}
