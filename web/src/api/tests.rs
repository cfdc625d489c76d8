use super::*;

fn live() -> Status {
    Status {
        server_time_ms: 1_795_334_423_040,
        last_connect_ms: Some(1_795_330_000_900),
        last_disconnect_ms: None,
        version_number: "0.1.0".to_owned(),
        stream_title: "Evening".to_owned(),
        viewer_count: 3,
        online: true,
        presentation: 7,
    }
}

fn text(json: Vec<u8>) -> String {
    String::from_utf8(json).unwrap()
}

#[test]
fn only_the_exact_wish_holds_a_status_back() {
    for (query, want) in [
        (None, false),
        (Some(""), false),
        (Some("while=offline"), true),
        (Some("p=1&while=offline"), true),
        (Some("while=online"), false),
        (Some("while"), false),
        (Some("awhile=offline"), false),
    ] {
        assert_eq!(waits_while_offline(query), want, "{query:?}");
    }
}

#[test]
fn status_while_live() {
    assert_eq!(
        text(live().to_json()),
        concat!(
            r#"{"serverTime":"2026-11-22T08:00:23.040Z","lastConnectTime":"2026-11-22T06:46:40Z","#,
            r#""lastDisconnectTime":null,"versionNumber":"0.1.0","streamTitle":"Evening","#,
            r#""viewerCount":3,"online":true,"presentation":7}"#,
            "\n"
        )
    );
}

#[test]
fn status_while_offline_has_no_viewer_count() {
    let offline = Status {
        last_connect_ms: None,
        last_disconnect_ms: Some(1_795_330_000_900),
        stream_title: String::new(),
        viewer_count: 0,
        online: false,
        ..live()
    };
    assert_eq!(
        text(offline.to_json()),
        concat!(
            r#"{"serverTime":"2026-11-22T08:00:23.040Z","lastConnectTime":null,"#,
            r#""lastDisconnectTime":"2026-11-22T06:46:40Z","versionNumber":"0.1.0","#,
            r#""streamTitle":"","#,
            r#""online":false,"presentation":7}"#,
            "\n"
        )
    );
}

#[test]
fn config_has_every_field_of_0_2_3() {
    let config = WebConfig { version: "Riverrun v1".to_owned(), ..WebConfig::default() };
    assert_eq!(
        text(config.to_json()),
        concat!(
            r#"{"appearanceVariables":null,"name":"Riverrun","summary":"","#,
            r#""version":"Riverrun v1","#,
            r#""customStyles":"","offlineMessage":"","extraPageContent":"","#,
            r#""logo":"/logo","tags":[],"#,
            r#""socialHandles":[],"externalActions":[],"#,
            r#""notifications":{"browser":{"enabled":false}},"#,
            r#""federation":{"enabled":false,"hideFollowersTab":false},"#,
            r#""schedule":{"enabled":false,"showCountdown":false,"chatOpenMinutesBefore":0},"#,
            r#""maxSocketPayloadSize":2048,"#,
            r#""hideViewerCount":false,"#,
            r#""chatDisabled":true,"chatSpamProtectionDisabled":true,"#,
            r#""chatRequireAuthentication":false,"autoplay":"always","nsfw":false,"#,
            r#""authentication":{"indieAuthEnabled":false}}"#,
            "\n"
        )
    );
}

#[test]
fn optional_config_fields_appear_when_set() {
    let config = WebConfig {
        stream_title: "Now".to_owned(),
        social_handles: vec![SocialHandle {
            platform: "github".to_owned(),
            ..SocialHandle::default()
        }],
        ..WebConfig::default()
    };
    let json = text(config.to_json());
    assert!(json.contains(r#""streamTitle":"Now""#), "{json}");
    assert!(json.contains(r#""socialHandles":[{"platform":"github"}]"#), "{json}");
}

#[test]
fn markup_in_a_title_stays_a_string() {
    let status = Status { stream_title: "</script><b>&".to_owned(), ..live() };
    let json = status.to_json();
    assert!(!json.iter().any(|byte| b"<>&".contains(byte)), "{}", text(json));
    let parsed: serde_json::Value = serde_json::from_slice(&status.to_json()).unwrap();
    assert_eq!(parsed["streamTitle"], "</script><b>&");
}

#[test]
fn error_bodies() {
    let simple = SimpleResponse { message: "changed", success: true };
    assert_eq!(text(simple.to_json()), "{\"message\":\"changed\",\"success\":true}\n");
    assert_eq!(text(ErrorBody { error: "no" }.to_json()), "{\"error\":\"no\"}\n");
}

#[test]
fn players_are_told_from_browsers() {
    for (agent, player) in [
        ("mpv 0.38.0", true),
        ("VLC/3.0.20 LibVLC/3.0.20", true),
        ("AppleCoreMedia/1.0.0.21F90 (iPhone; U; CPU OS 17_5_1 like Mac OS X; en_us)", true),
        ("Kodi/20.2 Player", true),
        (
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/156.0.0.0 Safari/537.36",
            false,
        ),
        ("curl/8.5.0", false),
        ("", false),
    ] {
        assert_eq!(wants_playlist(agent), player, "{agent}");
    }
}
