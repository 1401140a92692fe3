//! What the lists say of a target, through the whole guard.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use agenthalt_guard::Verdict::{Allow, Deny};
use agenthalt_guard::testing::{TestCall, TestGuard};
use agenthalt_guard::{Json, Verdict};

use crate::Deletion;

fn judge(settings: &str, arguments: &str) -> (Verdict, String) {
    let call = TestCall::new("delete").arguments(arguments);
    let decision = TestGuard::<Deletion>::new(settings).unwrap().judge(&call).unwrap().unwrap();
    (decision.verdict(), decision.reason().to_owned())
}

fn id(value: &str) -> String {
    format!(r#"{{"id":{}}}"#, Json::from(value))
}

fn all(settings: &str, expected: Verdict, ids: &[&str]) {
    for value in ids {
        assert_eq!(judge(settings, &id(value)).0, expected, "{settings} {value}");
    }
}

#[test]
fn no_disguise_takes_protection_off() {
    let settings = r#"{"protected_resources":["inbox"]}"#;
    let disguises = [
        "inbox",
        "INBOX",
        "InBox",
        "iNBOX",
        " inbox\t",
        "in\u{200b}box",
        "іnbox",
        "ｉｎｂｏｘ",
        "inbox/",
        "./inbox",
        "a/../inbox",
        "x/．．/inbox",
        "inbox／1",
        "inbox\\1",
        "mail\\inbox",
        "%69nbox",
        "%2569nbox",
        "inbox%2F1",
        "inbox%00.txt",
        "inbox\0.txt",
        "a,inbox",
        "a , INBOX ",
        "a%2Cinbox",
        "a，inbox",
        "a\ninbox",
        "a;inbox",
        "\"inbox\"",
        "[\"a\",\"inbox\"]",
        "{\"id\":1,\"x\":2},inbox",
        "inbox?x",
        "inbox#x",
        "INB*",
        "*",
        "/",
        "..",
    ];
    all(settings, Deny, &disguises);
    all(settings, Allow, &["temp_1", "inbox2", "inboxes/1", "temp_*", "x,y", "a\\b", "50%", "in-box"]);
    let capital = r#"{"protected_resources":["InBox"]}"#;
    all(capital, Deny, &["inbox", "InBox", "INBOX", "in-box", "in_box/1"]);
}

#[test]
fn protection_of_windows_paths_holds_in_both_notations() {
    let settings = r#"{"protected_resources":["C:\\Users\\Me"]}"#;
    let ids = ["C:\\Users\\Me", "c:/users/me/x", "C:\\Users\\Me\\x.txt", "C:\\tmp\\..\\Users\\me", "C:\\Users", "C:\\"];
    all(settings, Deny, &ids);
    all(settings, Allow, &["C:\\Users\\Other", "D:\\tmp\\x"]);
}

#[test]
fn denied_targets_are_met_in_every_form_and_behind_namespaces() {
    let settings = r#"{"deny_patterns":["prod_*","*_backup","/secret/*"]}"#;
    let denied = [
        "prod_users",
        "PROD-users",
        "db.prod_users",
        "arn:aws:s3:::prod_users",
        "/data/prod_users",
        "a,x_backup",
        "x/../prod_1",
        "/secret/x",
        "/tmp/..//secret/./x",
        "file:///secret/x",
        "%70rod_users",
        "\\secret\\x",
    ];
    all(settings, Deny, &denied);
    all(settings, Allow, &["products", "backup", "secret/x", "preprod_users", "*"]);
}

#[test]
fn denied_targets_are_met_behind_each_separator() {
    for (pattern, ids) in [
        (".env", &["/app/.env", "c:\\app\\.env", "file:.env", "/app/.ENV/", "/app/.env?x", "app__.env"][..]),
        ("secrets.yaml", &["/app/secrets.yaml", "host:secrets.yaml", "./secrets.yaml", "https://h/secrets.yaml#1"]),
        ("b/c.d", &["a:b/c.d", "a__b/c.d"]),
    ] {
        let settings = format!(r#"{{"deny_patterns":["{pattern}"]}}"#);
        all(&settings, Deny, ids);
        all(&settings, Allow, &["/app/x.env", "/app/mysecrets.yaml", "/.env/x", "ab/c.d", "a_.env"]);
    }
}

#[test]
fn allowed_targets_are_met_as_they_are_written() {
    let settings = r#"{"allow_patterns":["temp_*","/tmp/*","42"]}"#;
    all(
        settings,
        Allow,
        &["temp_1", "temp_a\nb", "temp_1, temp_2", "/tmp/a", "/tmp//a/./b", "/tmp/a%20b", "temp_é", "42"],
    );
    let denied = [
        "TEMP_1",
        "tеmp_1",
        "temp-1",
        "db.temp_1",
        " temp_1",
        "temp_1,prod",
        "temp_1%2Cprod",
        "/tmp/../etc/passwd",
        "/tmp/%2e%2e/etc/passwd",
        "/tmp/%252e%252e/etc/passwd",
        "/tmp/..\\..\\etc",
        "temp_x/../../etc",
        "/tmp",
        "\u{200b}",
        "*",
        "42.0",
    ];
    all(settings, Deny, &denied);
    all(r#"{"allow_patterns":["caf\u00e9*"]}"#, Allow, &["cafe\u{301}s"]);
}

#[test]
fn allowed_windows_paths_pass_and_do_not_climb() {
    let settings = r#"{"allow_patterns":["C:\\tmp\\*"]}"#;
    all(settings, Allow, &["C:\\tmp\\a", "C:\\tmp\\a\\b"]);
    all(settings, Deny, &["C:\\tmp\\..\\Windows", "C:/tmp/a", "c:\\tmp\\a"]);
}

#[test]
fn allowed_encoded_patterns_meet_encoded_targets() {
    let settings = r#"{"allow_patterns":["https://h/a%20b/*","%2A"]}"#;
    all(settings, Allow, &["https://h/a%20b/c", "https://h/a%20b/%63"]);
    all(settings, Deny, &["https://h/a b/c", "https://h/a%20b/../c", "https://h/a%20b/%2e%2e/c", "%2A", "x"]);
}

#[test]
fn encoded_patterns_meet_what_they_stand_for() {
    for list in ["protected_resources", "deny_patterns"] {
        let settings = format!(r#"{{"{list}":["a%20b","%2f%zz"]}}"#);
        all(&settings, Deny, &["a%20b", "a b", "a%2520b", "A%20B", "%2f%zz"]);
        all(&settings, Allow, &["a", "b", "ab"]);
    }
}

#[test]
fn every_target_of_every_field_is_checked() {
    let settings = r#"{"protected_resources":["inbox"]}"#;
    for arguments in [
        r#"{"resource_id":"temp_1","email_id":"inbox"}"#,
        r#"{"id":"temp_1","ids":["a",["b",{"x":[{"y":"inbox"}]}]]}"#,
        r#"{"items":[{"id":"temp_1","name":"inbox"}]}"#,
        r#"{"resource_id":{"name":"inbox"}}"#,
        r#"{"url":"https://mail/inbox"}"#,
        r#"{"table":"inbox"}"#,
        r#"{"KEY":"inbox"}"#,
    ] {
        assert_eq!(judge(settings, arguments).0, Deny, "{arguments}");
        let allow = r#"{"allow_patterns":["temp_*","a","b"]}"#;
        assert_eq!(judge(allow, arguments).0, Deny, "{arguments}");
    }
    assert_eq!(judge(settings, r#"{"id":"temp_1","folder":"inbox"}"#).0, Allow);
    assert_eq!(judge(r#"{"allow_patterns":["a"]}"#, r#"{"ids":["a",null,""]}"#).0, Allow);
}

#[test]
fn numbers_compare_as_numbers() {
    for list in ["protected_resources", "deny_patterns"] {
        for pattern in ["42", "42.0", "4.2e1", "042"] {
            let settings = format!(r#"{{"{list}":["{pattern}"]}}"#);
            for value in
                ["42", "42.0", "4.2e1", r#""42""#, r#""42.0""#, r#""+42""#, r#""042""#, r#"" 42 ""#, r#""４２""#]
            {
                assert_eq!(judge(&settings, &format!(r#"{{"id":{value}}}"#)).0, Deny, "{pattern} {value}");
            }
            for value in ["43", "420", "4.2", r#""42a""#, "true"] {
                assert_eq!(judge(&settings, &format!(r#"{{"id":{value}}}"#)).0, Allow, "{pattern} {value}");
            }
        }
    }
    for (pattern, value, expected) in [
        ("42", "42.0", Allow),
        ("42.0", "42", Allow),
        ("4*", "42", Allow),
        ("42", "43", Deny),
        ("42.0", "\"42\"", Deny),
        ("12345678901234567890", "12345678901234567891", Deny),
        ("false", "false", Allow),
        ("0", "0", Allow),
        ("a", "false", Deny),
        ("a", "0", Deny),
    ] {
        let settings = format!(r#"{{"allow_patterns":["{pattern}"]}}"#);
        assert_eq!(judge(&settings, &format!(r#"{{"id":{value}}}"#)).0, expected, "{pattern} {value}");
    }
}

#[test]
fn an_empty_pattern_meets_no_target() {
    all(r#"{"protected_resources":[""],"deny_patterns":[""]}"#, Allow, &["x", "a/b", "*"]);
    all(r#"{"allow_patterns":[""]}"#, Deny, &["x"]);
}

#[test]
fn a_path_that_climbs_may_begin_at_the_root() {
    let protected = r#"{"protected_resources":["/etc/passwd"]}"#;
    let climbing = [
        "../etc/passwd",
        "../../../etc/passwd/x",
        "~/../../etc/passwd",
        "..\\..\\etc\\passwd",
        "%2e%2e/etc/passwd",
        "../../etc",
        "../etc/*",
        "../../etc/passwd?x",
    ];
    all(protected, Deny, &climbing);
    all(protected, Allow, &["../tmp/x", "../passwd", "../../home/etc/passwd", "../tmp/*"]);
    let denied = r#"{"deny_patterns":["/secret/*"]}"#;
    all(denied, Deny, &["../secret/x", "../../secret/./x"]);
    all(denied, Allow, &["../x/secret/y", "..secret/x"]);
}

#[test]
fn what_climbs_in_a_query_takes_nothing_off_the_resource() {
    let urls =
        ["https://mail/inbox?/../../x", "inbox?/../temp", "inbox#/../temp", "mail/inbox?q=a/../../b", "inbox%3F/../x"];
    all(r#"{"protected_resources":["inbox"]}"#, Deny, &urls);
    all(r#"{"protected_resources":["inbox"]}"#, Allow, &["https://mail/out?/../x", "out#/../temp"]);
    all(r#"{"deny_patterns":["/secret/*"]}"#, Deny, &["/secret/x?/../../y", "/secret/x#/../../y"]);
    let allow = r#"{"allow_patterns":["https://h/tmp/*"]}"#;
    all(allow, Allow, &["https://h/tmp/x?p=/a/../b", "https://h/tmp/x?a=1", "https://h/tmp/x#a.."]);
    all(allow, Deny, &["https://h/secret?/../tmp/x", "https://h/secret#/../tmp/x", "https://h/secret%3F/../tmp/x"]);
}

#[test]
fn a_long_text_that_is_no_list_is_compared_as_a_whole() {
    for separator in [";", "\n", "，", "\0"] {
        let long = ["prod_", separator, &"a".repeat(5_000), "_backup"].concat();
        all(r#"{"deny_patterns":["prod_*_backup"]}"#, Deny, &[&long]);
        let climbing = ["/tmp/a", separator, "b/", &"./".repeat(5_000), "../../etc/passwd"].concat();
        all(r#"{"protected_resources":["/etc/passwd"]}"#, Deny, &[&climbing]);
    }
}

#[test]
fn a_name_that_holds_no_text_is_a_target_itself() {
    for settings in [r#"{"protected_resources":["inbox"]}"#, r#"{"deny_patterns":["inb*"]}"#] {
        for value in ["true", "null", "{}", "[]", "1"] {
            for field in ["ids", "id"] {
                let arguments = format!(r#"{{"{field}":{{"a":"b","INBOX":{value}}}}}"#);
                assert_eq!(judge(settings, &arguments).0, Deny, "{arguments}");
            }
        }
        for arguments in [r#"{"items":[{"inbox":"x"}]}"#, r#"{"items":[{"id":"x","size":1}]}"#] {
            assert_eq!(judge(settings, arguments).0, Allow, "{arguments}");
        }
    }
}

#[test]
fn denial_beats_permission() {
    let settings = r#"{"protected_resources":["temp_keep"],"deny_patterns":["temp_x*"],"allow_patterns":["temp_*"]}"#;
    all(settings, Deny, &["temp_keep", "temp_x1", "prod"]);
    all(settings, Allow, &["temp_1"]);
}

#[test]
fn reasons_name_the_target_the_pattern_and_the_list() {
    let settings = r#"{"protected_resources":["Inbox"],"deny_patterns":["*_production"]}"#;
    for (value, expected) in [
        ("INBOX", "the target `INBOX` is `inbox` of protected_resources"),
        ("inbox/1", "the target `inbox/1` lies below `inbox` of protected_resources"),
        ("*", "the target `*` reaches `inbox` of protected_resources"),
        ("a, db_production", "the target `db_production` meets `*_production` of deny_patterns"),
    ] {
        assert_eq!(judge(settings, &id(value)), (Deny, expected.to_owned()));
    }
}

#[test]
fn a_target_longer_than_any_name_is_denied() {
    let settings = r#"{"deny_patterns":["x"]}"#;
    assert_eq!(judge(settings, &id(&"a".repeat(65_536))).0, Allow);
    let (verdict, reason) = judge(settings, &id(&"a".repeat(65_537)));
    assert_eq!(verdict, Deny);
    assert!(reason.ends_with(" is 65537 bytes long, deletion compares at most 65536"), "{reason}");
    assert_eq!(judge("{}", &id(&"a".repeat(65_537))).0, Allow);
}

#[test]
fn long_calls_are_judged_soon() {
    let settings = r#"{"max_bulk_delete":null,"protected_resources":["inbox","a*b"],"deny_patterns":["*x*y"]}"#;
    let deep = "a/".repeat(200_000);
    let commas = "a,".repeat(200_000);
    let percent = "%25".repeat(150_000);
    let stars = "t*".repeat(200_000);
    for (text, expected) in [(&deep, Deny), (&commas, Allow), (&percent, Deny), (&stars, Deny)] {
        assert_eq!(judge(settings, &id(text)).0, expected);
    }
    let list = format!(r#"{{"ids":[{}"z"]}}"#, r#""a","#.repeat(200_000));
    assert_eq!(judge(settings, &list).0, Allow);
}
