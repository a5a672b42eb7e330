"""Records of cloud services, whose set says what they mean: rows for gateways.py, which
judges them, and accounts, since these sets have them as addresses of mail."""
import json

LEFT_OUT = {
    "entra_signin": {
        "sign-in_activity7": "an application signed in, no person",
        "user_risk_detection_2": "a finding of Microsoft's, no sign-in",
    },
    "mde_device_logon": {
        "test_device_network_events": "another table",
        "test_device_network_info": "another table",
        "test_identity_logon": "a controller's table; the set has a memory call in it",
        "test_identity_logon_3": "a controller's table: the device tells of the same",
    },
    "okta": {
        "test_account_lock": "a lockout is no try",
    },
    "duo": {
        "test_admin_log_user_update": "a change of the configuration",
        "test_telephony_log_admin_login": "an SMS was sent",
        "test_telephony_log_entroll": "an SMS was sent",
    },
}

NOT_SO = {
    "entra_signin": {
        "sign-in_activity": {"outcome": "50158 waits for a second factor: no failure"},
        "test_signin": {"user": "the set has the name that is shown"},
    },
    "mde_device_logon": {
        "test_device_events_logon": {"outcome": "the set has the reason there"},
    },
}


def accounts(path, decode, check):
    with open(path) as f:
        for row in map(json.loads, f):
            want = (row["expected"].get("user") or {}).get("email")
            event = decode(row["message"].encode())
            if want and event["result"] == "event" and "/duo" not in path:
                check("%s account" % row["path"], event.get("account") == want, event)
