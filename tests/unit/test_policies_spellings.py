"""The same fault in many spellings, and what only looks like it."""

from __future__ import annotations

from typing import Any

import pytest
from support.declared import IMAGE
from support.policies import said
from support.refused import MAIN

POD, TEMPLATE = "spec.template.spec", "spec.template.metadata"
SAFE = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
TOKEN = "ghp_" + "a1" * 18
STARRED = '{"Statement": [{"Effect": "Allow", "Action": "%s", "Resource": "*"}]}'
ANYBODY = '{"Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Principal": %s}}'
ENTRY = "spec.ingress"

SECRETS = [
    *(
        (name, {f"{MAIN}.env.0": {"name": name, "value": "a1b2c3"}})
        for name in (
            "clientSecret", "apiKey", "API_TOKEN_2", "SECRET_KEY_BASE", "GITHUB_PAT", "accessToken", "MASTER_KEY",
            "MYSQL_ROOT_PASSWORD_1", "storage.account-key", "MINIO_PASS", "jwt-secret",
        )
    ),
    ("A", {f"{MAIN}.env.0": {"name": "A", "value": TOKEN}}),
    *(
        ("argument", {f"{MAIN}.args": ["-c", argument]})
        for argument in (
            "run --store=postgres://u:hunter2@h/d", "curl -H 'Authorization: Bearer a1b2c3d4'", "psql password=hunter2",
            "Server=h;Password=hunter2;", "login --api-key hunter2", f"git clone {TOKEN}", "x=1 DB_PASS=hunter2 run",
        )
    ),
]  # fmt: skip
NO_SECRETS = [
    ("EOS_TOKEN", "[EOS]"), ("pad_token", "0"), ("MAX_TOKENS", "512"), ("TOKEN_URL", "https://a.test/token"),
    ("SECRET_NAME", "db"), ("PASSWORD_FILE", "/run/p"), ("DB_SECRET", "vault:db#password"), ("KEYBOARD", "de"),
    ("DB_URL", "postgres://u:{{password}}@h/d"), ("COMPASS", "north"), ("BYPASS", "none"), ("TOKENIZER", "bert"),
    ("DB_PASS", "arn:aws:secretsmanager:eu-central-1:1:secret:db"), ("PUBLIC_KEY", "a1b2"),
]  # fmt: skip
RIGHTS: list[tuple[str, str, dict[str, Any]]] = [
    ("no-wildcard-rights", "reader", {"rules.0": {"verbs": ["bind"], "resourceNames": ["cluster-admin"]}}),
    *(
        ("no-wildcard-rights", "reader", {"rules.0": {"resources": [what], "verbs": [verb]}})
        for what, verb in (
            ("secrets", "list"), ("pods/exec", "create"), ("nodes/proxy", "get"), ("serviceaccounts/token", "create"),
            ("pods/attach", "get"), ("pods/ephemeralcontainers", "patch"), ("clusterroles", "escalate"),
            ("users", "impersonate"), ("roles", "bind"),
        )
    ),
    *(
        ("no-cluster-admin", "readers", {"subjects": [{"kind": "Group", "name": f"system:{group}"}]})
        for group in ("serviceaccounts", "masters", "authenticated", "unauthenticated")
    ),
    *(
        ("no-cloud-admin", "amazon-rights", {"policy": STARRED % action})
        for action in ("*", "*:*", "**", "iam:*", "?*", "i*")
    ),
    *(
        ("no-cloud-admin", "amazon-rights", changes)
        for changes in (
            {"managedPolicyArns": ["arn:aws:iam::aws:policy/AdministratorAccess"]},
            {"inlinePolicies": [{"policy": STARRED % "*"}]},
            {"type": "aws:s3/bucketPolicy:BucketPolicy", "policy": ANYBODY % '"*"'},
            {"type": "aws:ecr/repositoryPolicy:RepositoryPolicy", "policy": ANYBODY % '{"AWS": ["*"]}'},
            {"assumeRolePolicy": ANYBODY % '{"AWS": "*"}'},
            {"type": "aws:eks/accessEntry:AccessEntry", "kubernetesGroups": ["system:masters"]},
            {"type": "aws:s3/bucketAcl:BucketAcl", "acl": "public-read"},
        )
    ),
    *(
        ("no-cloud-admin", "google-member", {"member": "user:a", **changes})
        for changes in (
            {"type": "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember", "member": "allUsers"},
            {"type": "gcp:storage/bucketIAMBinding:BucketIAMBinding", "members": ["allAuthenticatedUsers"]},
            {"type": "gcp:storage/bucketACL:BucketACL", "roleEntities": ["READER:allUsers"]},
            {"type": "gcp:storage/defaultObjectAccessControl:DefaultObjectAccessControl", "entity": "allUsers"},
            {"type": "gcp:projects/iAMPolicy:IAMPolicy",
             "policyData": '{"bindings": [{"role": "roles/viewer", "members": ["allUsers"]}]}'},
            {"role": "roles/resourcemanager.projectIamAdmin"},
        )
    ),
]  # fmt: skip
WALLS = [
    ("quota", {"spec.hard": {"count/configmaps": 10}}),
    ("quota", {"spec.scopes": ["BestEffort"]}),
    ("walls", {"spec": {"policyTypes": ["Egress"]}}),
    *(
        ("walls", {"spec": {"ingress": [{"from": source}]}})
        for source in (
            [{"namespaceSelector": {}}], [{"ipBlock": {"cidr": "0.0.0.0/0"}}], [{"ipBlock": {"cidr": "::/0"}}], [],
            [{"namespaceSelector": {"matchExpressions": [{"key": "a", "operator": "DoesNotExist"}]}}],
            [{"ipBlock": {"cidr": "0.0.0.0/1"}}, {"ipBlock": {"cidr": "128.0.0.0/1"}}],
        )
    ),
]  # fmt: skip
STANDARD = [
    *(
        ({f"{POD}.securityContext": {**SAFE, field: value}}, "its pod ")
        for field, value in (
            ("runAsNonRoot", False), ("runAsUser", 0), ("seccompProfile", {"type": "Unconfined"}),
            ("seLinuxOptions", {"user": "root"}), ("appArmorProfile", {"type": "Unconfined"}),
        )
    ),
    ({f"{TEMPLATE}.annotations": {"container.apparmor.security.beta.kubernetes.io/main": "unconfined"}}, "AppArmor"),
    ({f"{MAIN}.livenessProbe": {"httpGet": {"host": "169.254.169.254", "port": 80}}}, "node call another host"),
    ({f"{MAIN}.lifecycle": {"preStop": {"tcpSocket": {"host": "10.0.0.1"}}}}, "node call another host"),
    *(
        ({f"{POD}.volumes": [{"name": "v", kind: {}}]}, f"of type {kind}")
        for kind in ("iscsi", "gcePersistentDisk", "awsElasticBlockStore", "cephfs", "flexVolume", "gitRepo", "rbd")
    ),
    ({f"{MAIN}.securityContext.capabilities": {"drop": ["NET_RAW"]}}, "keeps capabilities of root"),
    ({f"{POD}.ephemeralContainers": [{"name": "debug", "image": IMAGE}]}, "container debug may gain"),
]  # fmt: skip
PASSED: list[tuple[str, str, dict[str, Any]]] = [
    ("restricted-pods", "web", {f"{POD}.os": {"name": "windows"}, f"{POD}.securityContext": {"runAsNonRoot": True},
                                f"{MAIN}.securityContext": {}, f"{POD}.initContainers": []}),
    ("restricted-pods", "web", {f"{MAIN}.livenessProbe": {"httpGet": {"path": "/", "port": 80}}}),
    ("restricted-pods", "web", {f"{MAIN}.securityContext.seLinuxOptions": {"type": "container_t", "level": "s0:c1"}}),
    ("bounded-namespaces", "walls", {"spec": {"ingress": [{"from": [
        {"namespaceSelector": {"matchLabels": {"a": "b"}}}, {"ipBlock": {"cidr": "10.0.0.0/8"}}]}]}}),
    ("bounded-namespaces", "quota", {"spec.hard": {"requests.cpu": "4"}}),
    ("no-cloud-admin", "amazon-rights", {"assumeRolePolicy": ANYBODY % '{"Service": "ec2.amazonaws.com"}'}),
    ("no-cloud-admin", "amazon-rights", {"policy": STARRED % "s3:*"}),
    ("no-wildcard-rights", "reader", {"rules.0": {"resources": ["secrets"], "verbs": ["get"], "resourceNames": ["a"]}}),
    ("no-plain-secrets", "keys", {"stringData": {}, "data": {"tls.crt": "cHVibGlj", "ca.crt": "cHVibGlj"}}),
    ("no-wildcard-rights", "reader", {"kind": "Role", "rules.0": {"resources": ["secrets"], "verbs": ["get"]}}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "changes"), SECRETS)
def test_a_secret_is_found_in_every_spelling(name: str, changes: dict[str, Any]) -> None:
    assert f"a secret in its {'argument' if name == 'argument' else f'variable {name},'}" in " ".join(
        said("no-plain-secrets", "web", changes)
    )


@pytest.mark.parametrize("changes", [{"stringData": {"password": "hunter2"}}, {"data": {"key": "aHVudGVyMg=="}}])
def test_what_a_secret_holds_is_secret_to_the_engine_too(changes: dict[str, Any]) -> None:
    assert "is plain in the state" in " ".join(said("no-plain-secrets", "keys", changes))


@pytest.mark.parametrize(("name", "value"), NO_SECRETS)
def test_what_has_the_name_of_a_secret_only_is_none(name: str, value: str) -> None:
    assert said("no-plain-secrets", "web", {f"{MAIN}.env.0": {"name": name, "value": value}}) == []


@pytest.mark.parametrize(("policy", "resource", "changes"), RIGHTS)
def test_a_right_to_everything_is_found_however_it_is_given(policy: str, resource: str, changes: Any) -> None:
    assert [each for each in said(policy, resource, changes) if "crashed" not in each] != []


@pytest.mark.parametrize(("resource", "changes"), WALLS)
def test_a_wall_with_a_hole_is_none(resource: str, changes: dict[str, Any]) -> None:
    assert "it has not" in " ".join(said("bounded-namespaces", resource, changes))


@pytest.mark.parametrize(("changes", "words"), STANDARD)
def test_each_field_of_the_standard_is_looked_at(changes: dict[str, Any], words: str) -> None:
    assert words in " ".join(said("restricted-pods", "web", changes))


@pytest.mark.parametrize(("policy", "resource", "changes"), PASSED)
def test_what_is_no_fault_passes(policy: str, resource: str, changes: dict[str, Any]) -> None:
    assert said(policy, resource, changes) == []
