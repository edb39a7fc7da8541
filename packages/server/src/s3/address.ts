import { ServerError } from "../errors.ts";

/** A bucket, where in it, and who may write there. */
export interface S3Address {
  /** `s3://BUCKET/PREFIX`: what people are shown. */
  readonly name: string;
  readonly bucket: string;
  /** Where objects of the bucket are, ending in "/". */
  readonly baseUrl: string;
  /** What the keys of all its objects begin with: empty, or ending in "/". */
  readonly prefix: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string | undefined;
}

const pattern = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/;
const prefixPattern = /^[\w.-]+(?:\/[\w.-]+)*$/;
const loopback = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** Whether a place is an address in S3 and no path. */
export function isS3Address(text: unknown): text is string {
  return typeof text === "string" && text.startsWith("s3://");
}

/**
 * Reads an address, and what goes with it from the environment: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`,
 * `AWS_REGION` and, for what is not Amazon's, `AWS_ENDPOINT_URL`. @throws ServerError `invalid_options`, which never holds a secret
 */
export function readS3Address(text: string, environment: Readonly<Record<string, string | undefined>>): S3Address {
  const [, bucket, path = ""] = pattern.exec(text) ?? [];
  const prefix = path.replace(/\/+$/, "");
  if (bucket === undefined || (prefix !== "" && !prefixPattern.test(prefix)) || prefix.split("/").includes("..")) {
    throw new ServerError("invalid_options", "A bucket is named s3://BUCKET or s3://BUCKET/PREFIX, of letters, digits, dots and dashes.");
  }
  const of = (name: string): string | undefined => environment[name] || undefined;
  const [accessKeyId, secretAccessKey] = [of("AWS_ACCESS_KEY_ID"), of("AWS_SECRET_ACCESS_KEY")];
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    const message = "A bucket needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment of the command or the server.";
    throw new ServerError("invalid_options", message);
  }
  const region = of("AWS_REGION") ?? of("AWS_DEFAULT_REGION") ?? "us-east-1";
  return {
    name: prefix === "" ? `s3://${bucket}` : `s3://${bucket}/${prefix}`,
    bucket,
    baseUrl: baseUrlOf(bucket, region, of("AWS_ENDPOINT_URL_S3") ?? of("AWS_ENDPOINT_URL")),
    prefix: prefix === "" ? "" : `${prefix}/`,
    region,
    accessKeyId,
    secretAccessKey,
    sessionToken: of("AWS_SESSION_TOKEN"),
  };
}

/** By path where an endpoint is named, as every server of S3 has it; a bucket with a dot has no certificate of its own at Amazon's. */
function baseUrlOf(bucket: string, region: string, endpoint: string | undefined): string {
  if (endpoint === undefined) {
    const host = `s3.${region}.amazonaws.com`;
    return bucket.includes(".") ? `https://${host}/${bucket}/` : `https://${bucket}.${host}/`;
  }
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  const isPrivate = url?.protocol === "https:" || (url?.protocol === "http:" && loopback.has(url.hostname));
  if (url === undefined || !isPrivate || url.search !== "" || url.username !== "") {
    throw new ServerError("invalid_options", "AWS_ENDPOINT_URL is an https:// address (http:// only on this machine itself).");
  }
  return `${url.href.replace(/\/+$/, "")}/${bucket}/`;
}
