"""Known answers of every cryptographic format: what was written once must be readable for ever.

Values, not code that makes them: an implementation that changes a format fails against them. They
are published in docs/vectors.json. All keys and texts are made up. Bytes are hex; certificates and
sealed keys contain randomness, so that they are only read; all else is also made anew. Those of the
live channel were worked out from RFC 7748, RFC 5869 and RFC 8439 without any library.
"""

from __future__ import annotations

from typing import Any


def vectors() -> dict[str, Any]:
    """The vectors by format. `good: false` and `identity: null` must be refused."""
    return {
        "agent_ids": [
            {
                "pseudonym_key": (
                    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
                ),
                "user_id": "alice",
                "agent_id": "agent_efe1wmcjtdh1q1btetrthbf2d3fmbt06",
            },
            {
                "pseudonym_key": (
                    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
                ),
                "user_id": "Zoë Ångström",
                "agent_id": "agent_k8mhbk8k7cmny9ncmqkmsvqtqxh49ggk",
            },
            {
                "pseudonym_key": (
                    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
                ),
                "user_id": "",
                "agent_id": "agent_zm7pwxhv8fcvh26c9v83wpczmewp2ytq",
            },
        ],
        "walk_in_agent_ids": [
            {
                "entropy": "0000000000000000000000000000000000000000",
                "agent_id": "agent_00000000000000000000000000000000",
            },
            {
                "entropy": "ebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfe",
                "agent_id": "agent_xfpevvqfy3rz5wzmyqvffy7szbxzszfy",
            },
        ],
        "codes": [
            {
                "key": ("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"),
                "year": 2026,
                "prefix": 0,
                "counter": 0,
                "code": "RES-2026-00M882",
            },
            {
                "key": ("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"),
                "year": 2026,
                "prefix": 1,
                "counter": 1,
                "code": "RES-2026-01CQPW",
            },
            {
                "key": ("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"),
                "year": 2027,
                "prefix": 1023,
                "counter": 1048575,
                "code": "RES-2027-ZZZAPV",
            },
            {
                "key": ("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"),
                "year": 2027,
                "prefix": 517,
                "counter": 4711,
                "code": "RES-2027-G50DFH",
            },
        ],
        "fallback_codes": [
            {
                "key": ("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"),
                "year": 2026,
                "incarnation": "101112131415161718191a1b1c1d1e1f",
                "counter": 1,
                "code": "RES-2026-HPGTJ0BT",
            },
            {
                "key": ("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"),
                "year": 2026,
                "incarnation": "101112131415161718191a1b1c1d1e1f",
                "counter": 1048577,
                "code": "RES-2026-BWKBF2SC",
            },
        ],
        "chains": [
            {
                "book": "city/trattoria",
                "incarnation": "101112131415161718191a1b1c1d1e1f",
                "start": ("80c036a3b41508d511c2f2ee973ceb92f1c51d58295bb1d48fd404d95f59ac54"),
                "entries": [
                    "",
                    "6669727374",
                    "7a7765697465722045696e7472616720c3bc",
                ],
                "hashes": [
                    ("2c14c097a8e7be57ca6e64d3ad63e77c00c8e37eecc27b66cc8607556947b2b4"),
                    ("c4477c92c6ba43e860141c9cd41b57cfcf08a66dc84e44aebb215370bd4b5393"),
                    ("7752b1b33a0e56dab45d7f19a4d6664653ef33689749b6dab337efba191e1634"),
                ],
            },
        ],
        "seals": [
            {
                "public_key": ("2543b92ff1095511476adc8369db6ddc933665a11978dda1404ee1066ca9559d"),
                "book": "city/trattoria",
                "incarnation": "101112131415161718191a1b1c1d1e1f",
                "n": 3,
                "head": ("7752b1b33a0e56dab45d7f19a4d6664653ef33689749b6dab337efba191e1634"),
                "seal": (
                    "5bcf22b24a7712108ae3414cb00eab946fb2e7afa4ebb25cb36afb6d54ed398aa9f8c353"
                    "34ed7da74e2f34a8cf118161285117ef51a6bf884dcabceacbb99b09"
                ),
                "private_key": ("404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f"),
                "message": (
                    "686f6c6466617374207365616c203100000e636974792f74726174746f72696110111213"
                    "1415161718191a1b1c1d1e1f00000000000000037752b1b33a0e56dab45d7f19a4d66646"
                    "53ef33689749b6dab337efba191e1634"
                ),
                "good": True,
            },
            {
                "public_key": ("2543b92ff1095511476adc8369db6ddc933665a11978dda1404ee1066ca9559d"),
                "book": "city/trattoria",
                "incarnation": "101112131415161718191a1b1c1d1e1f",
                "n": 2,
                "head": ("7752b1b33a0e56dab45d7f19a4d6664653ef33689749b6dab337efba191e1634"),
                "seal": (
                    "5bcf22b24a7712108ae3414cb00eab946fb2e7afa4ebb25cb36afb6d54ed398aa9f8c353"
                    "34ed7da74e2f34a8cf118161285117ef51a6bf884dcabceacbb99b09"
                ),
                "good": False,
            },
            {
                "public_key": ("2543b92ff1095511476adc8369db6ddc933665a11978dda1404ee1066ca9559d"),
                "book": "city/trattorib",
                "incarnation": "101112131415161718191a1b1c1d1e1f",
                "n": 3,
                "head": ("7752b1b33a0e56dab45d7f19a4d6664653ef33689749b6dab337efba191e1634"),
                "seal": (
                    "5bcf22b24a7712108ae3414cb00eab946fb2e7afa4ebb25cb36afb6d54ed398aa9f8c353"
                    "34ed7da74e2f34a8cf118161285117ef51a6bf884dcabceacbb99b09"
                ),
                "good": False,
            },
            {
                "public_key": ("2543b92ff1095511476adc8369db6ddc933665a11978dda1404ee1066ca9559d"),
                "book": "city/trattoria",
                "incarnation": "101112131415161718191a1b1c1d1e1f",
                "n": 3,
                "head": ("c4477c92c6ba43e860141c9cd41b57cfcf08a66dc84e44aebb215370bd4b5393"),
                "seal": (
                    "5bcf22b24a7712108ae3414cb00eab946fb2e7afa4ebb25cb36afb6d54ed398aa9f8c353"
                    "34ed7da74e2f34a8cf118161285117ef51a6bf884dcabceacbb99b09"
                ),
                "good": False,
            },
            {
                "public_key": ("2543b92ff1095511476adc8369db6ddc933665a11978dda1404ee1066ca9559d"),
                "book": "city/trattoria",
                "incarnation": "00000000000000000000000000000000",
                "n": 3,
                "head": ("7752b1b33a0e56dab45d7f19a4d6664653ef33689749b6dab337efba191e1634"),
                "seal": (
                    "5bcf22b24a7712108ae3414cb00eab946fb2e7afa4ebb25cb36afb6d54ed398aa9f8c353"
                    "34ed7da74e2f34a8cf118161285117ef51a6bf884dcabceacbb99b09"
                ),
                "good": False,
            },
            {
                "public_key": ("2543b92ff1095511476adc8369db6ddc933665a11978dda1404ee1066ca9559d"),
                "book": "city/trattoria",
                "incarnation": "101112131415161718191a1b1c1d1e1f",
                "n": 3,
                "head": ("7752b1b33a0e56dab45d7f19a4d6664653ef33689749b6dab337efba191e1634"),
                "seal": (
                    "5bcf22b24a7712108ae3414cb00eab946fb2e7afa4ebb25cb36afb6d54ed398aa9f8c353"
                    "34ed7da74e2f34a8cf118161285117ef51a6bf884dcabceacbb99b"
                ),
                "good": False,
            },
        ],
        "page_client_ids": [
            {
                "book": "city/trattoria",
                "incarnation": "101112131415161718191a1b1c1d1e1f",
                "page": 0,
                "client_id": 8691871645845304,
            },
            {
                "book": "city/trattoria",
                "incarnation": "101112131415161718191a1b1c1d1e1f",
                "page": 1,
                "client_id": 111511852161012,
            },
            {
                "book": "city/trattoria",
                "incarnation": "101112131415161718191a1b1c1d1e1f",
                "page": 4294967295,
                "client_id": 8055055633999911,
            },
        ],
        "certificates": [
            {
                "root": (
                    "308201443081f7a00302010202103444a6ac78c7961a6a4f597a58887021300506032b65"
                    "703020311e301c06035504030c15486f6c646661737420726f6f74206f66206369747930"
                    "20170d3237303131343038303030305a180f32303537303130373038303030305a302031"
                    "1e301c06035504030c15486f6c646661737420726f6f74206f662063697479302a300506"
                    "032b6570032100174553b456dddfc6908ecab1c101fe6ab21e2baa0617795b7d43a63482"
                    "993fd5a345304330120603551d130101ff040830060101ff020101300e0603551d0f0101"
                    "ff040403020106301d0603551d0e04160414428fff54ef74eddd00f3cc6b8b932f013f68"
                    "e48b300506032b6570034100c1f8937e55f8eb8a247975fbe1fe23ad55b6c9577448b6a3"
                    "97d9c821d5296da05c59140a4207be8f198f6b19a85c130eb32728af9df561599c01dcc9"
                    "22858d0f"
                ),
                "chain": [
                    (
                        "308201a030820152a00302010202141533503231476742f5ec58255aa430ee207ad1e130"
                        "0506032b65703020311e301c06035504030c15486f6c646661737420726f6f74206f6620"
                        "63697479301e170d3237303131343038303030305a170d3332303131343038303030305a"
                        "30243122302006035504030c1966726f6e742d6465736b206465736b2d31206f66206369"
                        "7479302a300506032b6570032100cd14b37f956e953194ff7fb73b3d81dcc561d61a7538"
                        "094b7c3e1a643ee5f3aaa38199308196300c0603551d130101ff04023000300e0603551d"
                        "0f0101ff040403020780301d0603551d250416301406082b0601050507030206082b0601"
                        "050507030130360603551d11042f302d862b686f6c64666173743a2f2f636974792f7472"
                        "6174746f7269612f66726f6e742d6465736b2f6465736b2d31301f0603551d2304183016"
                        "8014428fff54ef74eddd00f3cc6b8b932f013f68e48b300506032b6570034100871fb7d5"
                        "b7d225a38aebf39dd46c7b26ee1eb8544f6ab9eac1c725e98d96d1f9c3c2b37ff881c6a6"
                        "da78ca462db8b0befd85d0aee6c33bc33385807536156e01"
                    ),
                ],
                "identity": {
                    "tenant": "city",
                    "venue": "trattoria",
                    "role": "front-desk",
                    "name": "desk-1",
                    "public_key": (
                        "cd14b37f956e953194ff7fb73b3d81dcc561d61a7538094b7c3e1a643ee5f3aa"
                    ),
                    "not_before_ms": 1799913600000,
                    "not_after_ms": 1957680000000,
                    "key_id": ("b52d6262f3d00786c1b4637c3a7ff64cf33a357547d8dfe99a9ebe214d52fcfd"),
                },
            },
            {
                "root": (
                    "308201443081f7a00302010202103444a6ac78c7961a6a4f597a58887021300506032b65"
                    "703020311e301c06035504030c15486f6c646661737420726f6f74206f66206369747930"
                    "20170d3237303131343038303030305a180f32303537303130373038303030305a302031"
                    "1e301c06035504030c15486f6c646661737420726f6f74206f662063697479302a300506"
                    "032b6570032100174553b456dddfc6908ecab1c101fe6ab21e2baa0617795b7d43a63482"
                    "993fd5a345304330120603551d130101ff040830060101ff020101300e0603551d0f0101"
                    "ff040403020106301d0603551d0e04160414428fff54ef74eddd00f3cc6b8b932f013f68"
                    "e48b300506032b6570034100c1f8937e55f8eb8a247975fbe1fe23ad55b6c9577448b6a3"
                    "97d9c821d5296da05c59140a4207be8f198f6b19a85c130eb32728af9df561599c01dcc9"
                    "22858d0f"
                ),
                "chain": [
                    (
                        "3082018430820136a0030201020214706dbdddc18c50f47aae15c185a042165db2fad530"
                        "0506032b65703020311e301c06035504030c15486f6c646661737420726f6f74206f6620"
                        "63697479301e170d3237303131343038303030305a170d3332303131343038303030305a"
                        "301a3118301606035504030c0f68756220687562206f662063697479302a300506032b65"
                        "700321004fd099ccd47d7893dfe9ec24414ecb0d9b5420232aad30d91c465be33cbe65c4"
                        "a38187308184300c0603551d130101ff04023000300e0603551d0f0101ff040403020780"
                        "301d0603551d250416301406082b0601050507030206082b060105050703013024060355"
                        "1d11041d301b8619686f6c64666173743a2f2f636974792f2a2f6875622f687562301f06"
                        "03551d23041830168014428fff54ef74eddd00f3cc6b8b932f013f68e48b300506032b65"
                        "700341002f90ea60a49205aaefc53a7cb9962fc2dd28d2b1883017e90b9d2b6bac385be2"
                        "ab6f247307ef678133641f60142f15f08e10d642d76f06eaa480a4fa53056307"
                    ),
                ],
                "identity": {
                    "tenant": "city",
                    "venue": "*",
                    "role": "hub",
                    "name": "hub",
                    "public_key": (
                        "4fd099ccd47d7893dfe9ec24414ecb0d9b5420232aad30d91c465be33cbe65c4"
                    ),
                    "not_before_ms": 1799913600000,
                    "not_after_ms": 1957680000000,
                    "key_id": ("e6286189bfb3be1248d3ec6981952ab0a00999bfe9c4a8d4812ec50022e8e8cc"),
                },
            },
            {
                "root": (
                    "308201443081f7a003020102021009cf1ca07325aa48b910446cd06ba0b1300506032b65"
                    "703020311e301c06035504030c15486f6c646661737420726f6f74206f66206369747930"
                    "20170d3237303131343038303030305a180f32303537303130373038303030305a302031"
                    "1e301c06035504030c15486f6c646661737420726f6f74206f662063697479302a300506"
                    "032b65700321003b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b"
                    "59da29a345304330120603551d130101ff040830060101ff020101300e0603551d0f0101"
                    "ff040403020106301d0603551d0e041604148c30c97e7fd5460ce3b962db4cd75879eecd"
                    "8abd300506032b65700341006dc8d16e88e6bccfe430e63b290ded1324478caa9452d068"
                    "225e4b5d32d253875b248ad470b2eb63d805773548eca2f2d9bfaba7fe98c68568aa54a6"
                    "12cb6f03"
                ),
                "chain": [
                    (
                        "308201a030820152a00302010202141533503231476742f5ec58255aa430ee207ad1e130"
                        "0506032b65703020311e301c06035504030c15486f6c646661737420726f6f74206f6620"
                        "63697479301e170d3237303131343038303030305a170d3332303131343038303030305a"
                        "30243122302006035504030c1966726f6e742d6465736b206465736b2d31206f66206369"
                        "7479302a300506032b6570032100cd14b37f956e953194ff7fb73b3d81dcc561d61a7538"
                        "094b7c3e1a643ee5f3aaa38199308196300c0603551d130101ff04023000300e0603551d"
                        "0f0101ff040403020780301d0603551d250416301406082b0601050507030206082b0601"
                        "050507030130360603551d11042f302d862b686f6c64666173743a2f2f636974792f7472"
                        "6174746f7269612f66726f6e742d6465736b2f6465736b2d31301f0603551d2304183016"
                        "8014428fff54ef74eddd00f3cc6b8b932f013f68e48b300506032b6570034100871fb7d5"
                        "b7d225a38aebf39dd46c7b26ee1eb8544f6ab9eac1c725e98d96d1f9c3c2b37ff881c6a6"
                        "da78ca462db8b0befd85d0aee6c33bc33385807536156e01"
                    ),
                ],
                "identity": None,
            },
        ],
        "pseudonym_keys": [
            {
                "root_private_key": (
                    "606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f"
                ),
                "pseudonym_key": (
                    "fd3fb5c10f8a290212fc39810ff9eac6b30fd40cdee1e1f0855c1a0a59257d8b"
                ),
            },
        ],
        "join_codes": [
            {
                "entropy": "0102030405060708090a0b0c0d0e0f10111213141516171819",
                "hub_public_key": (
                    "4fd099ccd47d7893dfe9ec24414ecb0d9b5420232aad30d91c465be33cbe65c4"
                ),
                "code": ("04106105-0r3gg28a-1c60t3gf-208h44rm-2mb1e60s-m60h5c5q-pgh5zwr5"),
                "id": "0102030405",
                "secret": "060708090a0b0c0d0e0f10111213141516171819",
                "fingerprint": "a18112b0b7b4225ff305",
                "verifier": ("2338c1b759cd64c38a416bd0c5276436c53027f1be8a97d0d115b2d96a816a2e"),
                "transcript": "7472616e736372697074206f66207468652072657175657374",
                "proof": (
                    "536c525dc1b1f22a5b242755b65eafc2331512def2494e0d265f702b0498aef9c7f39a31"
                    "fe0d089042640a2eb44d0702fd4cde7866ca7787cc601d917eb1a70b"
                ),
            },
        ],
        "requests": [
            {
                "method": "POST",
                "url": "http://hub.example:8470/sync/v1/exchange?book=1",
                "body": "65786368616e6765",
                "private_key": ("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"),
                "key_id": ("b52d6262f3d00786c1b4637c3a7ff64cf33a357547d8dfe99a9ebe214d52fcfd"),
                "created": 1800000000,
                "nonce": "00112233445566778899aabbccddeeff",
                "certificate": "Y2VydA==",
                "headers": {
                    "Holdfast-Certificate": "Y2VydA==",
                    "Content-Digest": "sha-256=:qye3KdnMTLHACWBwBEaSQVnpKY0PlSruPVVAi44LG3E=:",
                    "Signature-Input": (
                        'holdfast=("@method" "@authority" "@path" "@query" "content-digest" "hold'
                        'fast-certificate");created=1800000000;keyid="b52d6262f3d00786c1b4637c3a7'
                        'ff64cf33a357547d8dfe99a9ebe214d52fcfd";alg="ed25519";nonce="001122334455'
                        '66778899aabbccddeeff";tag="holdfast"'
                    ),
                    "Signature": (
                        "holdfast=:TELcXizpPb2P+m3gK0KCqycls17N4hq/cYbJnRLw1DvteLmKq2c2OIZcoFcHrp"
                        "kSRgqpppwmYtPbZqgBx4X6Bw==:"
                    ),
                },
            },
        ],
        "responses": [
            {
                "status": 200,
                "body": "616e73776572",
                "request_headers": {
                    "Holdfast-Certificate": "Y2VydA==",
                    "Content-Digest": "sha-256=:qye3KdnMTLHACWBwBEaSQVnpKY0PlSruPVVAi44LG3E=:",
                    "Signature-Input": (
                        'holdfast=("@method" "@authority" "@path" "@query" "content-digest" "hold'
                        'fast-certificate");created=1800000000;keyid="b52d6262f3d00786c1b4637c3a7'
                        'ff64cf33a357547d8dfe99a9ebe214d52fcfd";alg="ed25519";nonce="001122334455'
                        '66778899aabbccddeeff";tag="holdfast"'
                    ),
                    "Signature": (
                        "holdfast=:TELcXizpPb2P+m3gK0KCqycls17N4hq/cYbJnRLw1DvteLmKq2c2OIZcoFcHrp"
                        "kSRgqpppwmYtPbZqgBx4X6Bw==:"
                    ),
                },
                "private_key": ("a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf"),
                "key_id": ("e6286189bfb3be1248d3ec6981952ab0a00999bfe9c4a8d4812ec50022e8e8cc"),
                "created": 1800000001,
                "certificate": "aHVi",
                "headers": {
                    "Holdfast-Certificate": "aHVi",
                    "Content-Digest": "sha-256=:DbUvQHbAglGEEq/T3TV24ssMY3A/1/7V4jreYO/vMdk=:",
                    "Signature-Input": (
                        'holdfast=("@status" "content-digest" "holdfast-certificate" "signature";'
                        'req);created=1800000001;keyid="e6286189bfb3be1248d3ec6981952ab0a00999bfe'
                        '9c4a8d4812ec50022e8e8cc";alg="ed25519";tag="holdfast"'
                    ),
                    "Signature": (
                        "holdfast=:4Vfgemxz0LFr0cOx0jPt8VL7hV7XnyfXXVKAQNfzUGV+Lj93nP5eZtO66zjCZc"
                        "iDfC0wcwmIGY+uabGSlmwoBw==:"
                    ),
                },
            },
        ],
        "live_channels": [
            {
                "node_private_key": (
                    "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f"
                ),
                "node_key": ("358072d6365880d1aeea329adf9121383851ed21a28e3b75e965d0d2cd166254"),
                "hub_private_key": (
                    "505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f"
                ),
                "hub_key": ("392d174a38b3b1beafaf1fe824870841c5fa531bc6eafdb6402c124664488c1c"),
                "signature": (
                    "holdfast=:TELcXizpPb2P+m3gK0KCqycls17N4hq/cYbJnRLw1DvteLmKq2c2OIZcoFcHrp"
                    "kSRgqpppwmYtPbZqgBx4X6Bw==:"
                ),
                "secret": ("b77020f00693aa6fd905424c474d30fe2fdcc9fd0cd421d6b56a8ca6a3113b55"),
                "to_hub": ("81f6474f7f1f08ca0154ed3da0095654f19b3165a5d0779ecfe7cf569dabd313"),
                "to_node": ("625dc2df1febe8d882d1aaa83a686a71ede50262d68747072bad643f0c2b973f"),
                "messages": [
                    {
                        "to": ("hub"),
                        "count": 0,
                        "message": ("00612072657175657374"),
                        "sealed": ("8c9574da44323947e1100304bfe8a38437c638bd7c2ab5b6634c"),
                    },
                    {
                        "to": ("hub"),
                        "count": 1,
                        "message": (""),
                        "sealed": ("6fbd7d4f5f88df379ade361feca0b501"),
                    },
                    {
                        "to": ("node"),
                        "count": 0,
                        "message": (
                            "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20212223"
                            "2425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f4041424344454647"
                            "48494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f60616263"
                        ),
                        "sealed": (
                            "4a3041b6e86f577c26aa4a589e3814d69473088a34ff1452eb23fbcb47a5e3904087772b"
                            "142090e43441fbd222c0c3de091356fa583ce658e502c7da8e92dc74d850f6d88c3c29c8"
                            "2a614ff1ce9c8468654ac04893507bb329c44c077625d84c545f323e78538c2c2441e3fa"
                            "7b682bcf9d254f69"
                        ),
                    },
                ],
            },
        ],
        "cards": [
            {
                "venue": "city/trattoria",
                "agent_id": "agent_efe1wmcjtdh1q1btetrthbf2d3fmbt06",
                "life": "808182838485868788898a8b8c8d8e8f",
                "venue_private_key": (
                    "c0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedf"
                ),
                "entropy": (
                    "101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f30313233"
                    "3435363738393a3b"
                ),
                "ciphertext": (
                    "303132333435363738393a3bed3241e09549f7246d04d27d4b55b874183a91be9a562e32"
                    "b1d525e1bb67833f07855f71a1c795b38e7a63153afa805dbb3629cb843f5a8d49abcf72"
                    "5cbeafaef761beb5d2d065f583f2595a81e3ca19"
                ),
                "text_digest": "c2f58cb773c8383ff87001b4caa66ede",
                "sealed_key": (
                    "b954936536f38fe51dca9c774418e178e2fc30ee9dd9b2ebbab95983f993f46aa3451c38"
                    "9a91426fcf9f5d8f252c63e2d0e2a5709dc739740103026484f15a2c335c821669887c0b"
                    "0763278b1e4ccef6"
                ),
                "key_digest": "510e80a7e7a13b85f40a185a7c45aab2",
                "card_id": "a8516f6fd17c0743110ee74b444c7b34",
                "card": {
                    "name": "Zoë",
                    "phone": "+39 055 123",
                    "dietary": "no nuts",
                },
            },
        ],
        "handed_venue_keys": [
            {
                "venue": "city/trattoria",
                "recipient_private_key": (
                    "e0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"
                ),
                "sealed": (
                    "3d6bd0e04880136abcfede02e086f926bf9cc4313d5dced934ab73517d81e90d289a21be"
                    "fa19a54b77802d92bc162e75cdd2279bbc5d7e8aec0e1cd9c1d7d39ac1496e875f79cc21"
                    "ce7a015457b45c0b"
                ),
                "venue_private_key": (
                    "c0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedf"
                ),
            },
        ],
    }
