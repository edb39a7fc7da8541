/** A self-signed certificate for `localhost` and its key: for tests only, worth nothing. */
export const testCertificate = `-----BEGIN CERTIFICATE-----
MIIBlTCCATugAwIBAgIUGcrszeN+s31p5tKxkAphw68f6zQwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMzExMDUwMVoYDzIxMjYxMDMw
MTEwNTAxWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAATgDdGmz6CFuxCLgNlCLRBDItRhi2MvKQ3zWyyb6wyiZMZ9/wcNBoKS
GBZiqxC+4Qzy1j0RcIepIbt9CI9hVffpo2kwZzAdBgNVHQ4EFgQUReVreHPgNGpC
nua0A3dlGACeLzEwHwYDVR0jBBgwFoAUReVreHPgNGpCnua0A3dlGACeLzEwDwYD
VR0TAQH/BAUwAwEB/zAUBgNVHREEDTALgglsb2NhbGhvc3QwCgYIKoZIzj0EAwID
SAAwRQIhAMcQR9VE1IWfVo51x5x7X3aDFv+WbSrxa2JHMX4KldHqAiAiaeLcsvwx
iAdPPwpt+x/gtgrfyLhagLDl8iICEAAUig==
-----END CERTIFICATE-----
`;

export const testKey = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg8+sGlq075AlwT5NM
d04s+1BUvtdNi3OoE6W9gMYdmnahRANCAATgDdGmz6CFuxCLgNlCLRBDItRhi2Mv
KQ3zWyyb6wyiZMZ9/wcNBoKSGBZiqxC+4Qzy1j0RcIepIbt9CI9hVffp
-----END PRIVATE KEY-----
`;
