/** The list of the build's files, which the build writes (apps/web/service-worker.ts). */
declare module "virtual:bundle" {
  export const files: readonly import("./service-worker/bundle.ts").BundleFile[];
  /** Where the script of the worker's engine lies. */
  export const enginePath: string;
}
