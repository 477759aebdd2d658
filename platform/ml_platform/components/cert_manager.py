"""cert-manager: who issues certificates, where the settings want it so. It owns no issuer: that is for its users."""

from ml_platform.components.foreign import Single


class CertManager(Single):
    token = "ml-platform:certificates:CertManager"  # noqa: S105 - a type token
    bundle = "cert-manager"
