"""Lines of VPN concentrators and other appliances whose set says what they mean: outcome, user and
address must agree. What a decoder leaves out, or says otherwise, stands here with its reason."""
import json

# file: {row: why it becomes no event}
LEFT_OUT = {
    "fortigate": {
        "ssl_new_con.CEF": "a connection on which nobody has logged in",
        "test_unauthuser": "traffic",
        "vpn.STANDARD": "a certificate list was renewed",
    },
    "panos": {
        "auth_cef": "an authentication policy's own log, whose verdict is free text",
        "globalprotect_cef": "a satellite's route: between sites",
        "test_new_globalprotect": "JSON of the log forwarding service",
        "test_web_authentication_json": "JSON of the log forwarding service",
    },
    "cisco_asa_ftd": {
        "test_ASA_111007": "a configuration was read",
        "test_ASA_111009": "a command",
        "test_ASA_302013_2": "traffic",
        "test_ASA_302020": "traffic",
        "test_ASA_302021": "traffic",
        "test_ASA_302021_3": "traffic",
        "test_ASA_722051": "the standby unit's copy of a session (721016 in Cisco's list)",
    },
    "cisco_ise": {
        "test_ad_connector_1": "a ticket of ISE itself",
        "test_boot_request": "a record's later segment",
        "test_conf_events": "a change of the configuration",
        "test_failed_attempts_2": "a record's later segment",
        "test_kv_with_colon_1": "a record's later segment",
        "test_miscellaneous": "housekeeping",
        "test_miscellaneous2": "diagnostics",
        "test_network_info_events1": "Wi-Fi: a hardware address called, the set has the NAS",
        "test_network_info_events5": "a record's later segment",
        "test_network_info_events7": "a TLS connection between servers",
        "test_network_response": "a record's later segment",
        "test_network_warm2": "a switch did not answer",
        "test_passed_authentication": "a record's later segment",
        "test_radius_accounting": "a wire: no address called, the set has the NAS",
        "test_radius_accounting_3": "a record's later segment",
    },
    "ivanti_pulse": {
        "host_checker_policy_failed": "a host checker's finding",
        "test_event_aut24604": "a TLS handshake that failed",
        "test_event_sys20704": "an SNMP trap",
        "test_event_sys31437": "a connection to a syslog server",
        "unauthenticated_request": "a request of nobody",
    },
    "checkpoint": {
        "CEF_decrypt": "traffic",
        "Syslog_icmp": "traffic",
        "Syslog_nat": "traffic",
    },
    "f5_bigip": {
        "test_apm_access_1": "a step of the policy, whose session id is no such",
        "test_apm_access_3": "a step of the policy; its result is told apart",
        "test_apm_session_user_agent": "a variable of the policy",
        "test_apm_short": "a step of Kerberos",
        "test_vpn_2": "traffic",
        "test_vpn_4": "traffic",
    },
    "citrix_adc": {
        "test_aaatm_2": "a remark of the SAML parser",
        "test_cmd_executed_2": "cut: no time, host or interface in front",
        "test_http_access_02": "a web server's access",
        "test_sslvpn_log_2": "traffic",
        "test_sslvpn_log_6": "a request within a session",
        "test_sslvpn_log_8": "a TLS handshake that failed",
    },
    "openvpn": dict(
        {"client_information_%d" % n: "about no client, or of one before it logs in"
         for n in (1, 11, 13, 15, 17, 19, 20, 22, 24, 28, 3, 4, 6, 8)},
        channel_1="a cipher was set up",
        gateway_0="about no client",
        ldap_incorrect_password="words of a plugin, which name no address",
        ldap_invalid_credentials_2="words of a plugin, which name no address",
        ldap_user_not_found_2="words of a plugin, which name no address",
        tls_information_1="a cipher was set up",
        tunnel_0="about no client",
        tunnel_2="about no client",
        tunnel_4="about no client",
    ),
    "sonicwall": {
        "test_cef_app_control_detection_alert": "traffic",
        "test_cef_connection_opened": "traffic",
        "test_cef_filename_logging": "traffic",
        "test_cef_syslog_website_accessed": "traffic",
        "test_syslog_website_category_2": "traffic",
    },
    "watchguard": {},
    "sophos": {},
    "stormshield": {
        "auth": "a second factor's enrolment",
        "vpn_phase2": "between sites",
    },
    "juniper": {
        "UI_CHILD_STATUS": "a process",
        "UI_JUNOSCRIPT_CMD": "a command",
    },
    "barracuda": {
        "test_auth_service_6": "groups are fetched",
    },
    "vmware_esxi_auth": {
        "AUTH_SESSION_user": "a name without an address, which the line before has",
    },
}

# file: {row: what the set says and the line does not, or otherwise}
NOT_SO = {
    "juniper": {
        "UI_LOGOUT_EVENT": {"outcome": "an end is no verdict"},
    },
    "barracuda": {
        "test_auth_access_3": {"outcome": "a rule refused the connection: nobody tried"},
    },
    "fortigate": {
        "tunnel": {"outcome": "statistics of a live tunnel are no verdict"},
    },
    "panos": {
        "globalprotect_csv_2": {"outcome": "the end of a tunnel is no verdict"},
    },
    "vmware_esxi_auth": dict(
        {n: {"outcome": "the end of a connection is no verdict"}
         for n in ("AUTH_CONNECTION_disconnected", "AUTH_CONNECTION_recieved_disconnect",
                   "SSHD_MESSAGE_DISCONNECTED")},
        AUTH_SESSION_change_user={"user": "what stands behind 'logged in as' is the client"},
    ),
    "f5_bigip": {
        "test_apm_auth_1": {"outcome": "a name that was typed is no verdict"},
        "test_apm_session_bytes": {"outcome": "statistics are no verdict"},
    },
}


def user_of(want):
    """The set cuts a domain off, some decoders leave it."""
    user = want.get("user") or (want.get("source") or {}).get("user") or {}
    return user.get("name")


def same_user(want, got):
    return (got or "").split("@")[0] == want.split("@")[0]


def judge(row, event, odd):
    """A list of complaints about one decoded line."""
    want, wrong = row["expected"], []
    outcome = want["event"].get("outcome")
    if outcome and "outcome" not in odd and event["outcome"].lower()[:4] != outcome.lower()[:4]:
        wrong.append("outcome is %s, wanted %s" % (event["outcome"], outcome))
    user = user_of(want)
    if user and "user" not in odd and not same_user(user, event.get("account")):
        wrong.append("account is %s, wanted %s" % (event.get("account"), user))
    address = (want.get("source") or {}).get("ip")
    got = event.get("origin", {}).get("address")
    if address and "address" not in odd and got != address:
        wrong.append("origin is %s, wanted %s" % (got, address))
    return wrong


def run(name, path, decode, check):
    """decode(bytes) gives what `outergate decode` says of a line."""
    left, odd, seen = LEFT_OUT.get(name, {}), NOT_SO.get(name, {}), set()
    with open(path) as f:
        rows = [json.loads(line) for line in f]
    for row in rows:
        key = row["path"].split("/")[-1][:-5]
        seen.add(key)
        event = decode(row["message"].strip("\t\n").encode())
        if event["result"] != "event":
            check("%s/%s is left out" % (name, key), key in left, event)
            continue
        check("%s/%s is decoded" % (name, key), key not in left, event)
        wrong = judge(row, event, odd.get(key, {}))
        check("%s/%s" % (name, key), not wrong, wrong)
    check("%s: every exception is of a row" % name, not (set(left) | set(odd)) - seen,
          (set(left) | set(odd)) - seen)
