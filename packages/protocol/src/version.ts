/** The version of the product: of server, command line and web app alike. `node tools/version.js NUMBER` sets it everywhere. */
export const productVersion = "0.1.0";
