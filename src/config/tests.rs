use super::*;

fn settings(toml: &str) -> Result<Settings, toml::de::Error> {
    toml::from_str(toml)
}

#[test]
fn the_command_line_wins_over_the_file() {
    let typed = settings("http = '127.0.0.1:1'").unwrap();
    assert_eq!(settings("").unwrap().validate(1, BTreeMap::new()).unwrap().given, Given::default());
    let file = settings("http = '127.0.0.1:2'\nrtmp = '127.0.0.1:3'").unwrap();
    let config = typed.over(file).validate(4, BTreeMap::new()).unwrap();
    assert_eq!(config.http.port(), 1);
    assert_eq!(config.rtmp.port(), 3);
    assert_eq!(config.shards, 4);
    assert_eq!(config.grace, Duration::from_secs(30));
}

#[test]
fn unknown_keys_are_named() {
    let error = settings("htpp = '127.0.0.1:1'").unwrap_err().to_string();
    assert!(error.contains("htpp"), "{error}");
}

#[test]
fn values_outside_their_range_say_the_range() {
    for (toml, words) in [
        ("shards = 0", "shards is 0; allowed is 1 to 256"),
        ("rewind_seconds = 5", "rewind_seconds is 5; allowed is 12 to 7200"),
        ("grace_seconds = 601", "grace_seconds is 601; allowed is 0 to 600"),
        ("audio_bitrate = 31", "audio_bitrate is 31; allowed is 32 to 320"),
        ("audio_bitrate = 321", "audio_bitrate is 321; allowed is 32 to 320"),
        ("pause_idle_seconds = 9", "pause_idle_seconds is 9; allowed is 10 to 3600"),
        ("segment_seconds = 7", "segment_seconds is 7; allowed is 1 to 6"),
        ("stream_key = 'short'", "stream_key has 5 bytes; allowed is 8 to 255"),
        ("stream_key = 'with/slash'", "letters, digits"),
        ("admin_password = 'short'", "admin_password has 5 bytes; allowed is 8 to 1024"),
    ] {
        let error = settings(toml).unwrap().validate(1, BTreeMap::new()).unwrap_err().to_string();
        assert!(error.contains(words), "{toml}: {error}");
    }
}

#[test]
fn renditions_are_read_and_wrong_ones_say_why() {
    let config =
        settings("renditions = 'source,480p'").unwrap().validate(1, BTreeMap::new()).unwrap();
    assert_eq!(config.renditions.to_string(), "source,480p");
    let error = settings("renditions = '480p:9'").unwrap_err().to_string();
    assert!(error.contains("CPU level"), "{error}");
    assert_eq!(
        Settings::default().validate(1, BTreeMap::new()).unwrap().renditions,
        LadderSetting::Automatic
    );
}

#[test]
fn sound_and_pauses_are_read() {
    let config = settings("audio_bitrate = 96\naudio_passthrough = 'off'").unwrap();
    let sound = config.validate(1, BTreeMap::new()).unwrap().sound;
    assert_eq!((sound.passthrough, sound.config.bitrate), (AudioPassthrough::Off, 96_000));
    let config = settings("pause_idle_renditions = 'on'\npause_idle_seconds = 30").unwrap();
    let idle = config.validate(1, BTreeMap::new()).unwrap().idle;
    assert_eq!((idle.pause, idle.after), (PauseIdle::On, Duration::from_secs(30)));
    let config = Settings::default().validate(1, BTreeMap::new()).unwrap();
    assert_eq!(config.sound, SoundSetting::default());
    assert_eq!((config.idle.pause, config.idle.after), (PauseIdle::Auto, Duration::from_secs(60)));
    for (toml, part) in
        [("pause_idle_renditions = 'yes'", "auto"), ("audio_passthrough = 'never'", "auto")]
    {
        let error = settings(toml).unwrap_err().to_string();
        assert!(error.contains(part), "{toml}: {error}");
    }
}

#[test]
fn a_file_is_read_again_under_what_was_typed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("riverrun.toml");
    std::fs::write(&path, "renditions = 'source'\nsegment_seconds = 3").unwrap();
    let mut typed = ServeArguments { config: Some(path.clone()), ..ServeArguments::default() };
    typed.settings = settings("segment_seconds = 4").unwrap();
    let config = Config::load(typed, 1).unwrap();
    std::fs::write(&path, "renditions = 'source,180p'\nsegment_seconds = 5").unwrap();
    let read = config.read_again().unwrap();
    assert_eq!(read.renditions.to_string(), "source,180p");
    assert_eq!(read.segment_target, Duration::from_secs(4));
    std::fs::write(&path, "renditions = 'source,fast'").unwrap();
    let error = config.read_again().unwrap_err().to_string();
    assert!(error.contains("line 1") && error.contains("fast"), "{error}");
}

#[test]
fn settings_of_the_admin_may_stand_in_the_file() {
    let config = settings("[settings]\nname = 'North'\n'chat/disable' = true").unwrap();
    assert_eq!(config.validate(1, BTreeMap::new()).unwrap().settings.len(), 2);
    for (toml, words) in [
        ("[settings]\nnosuch = 1", "is no setting"),
        ("[settings]\nnsfw = 'yes'", "true or false is wanted"),
        ("[settings]\nwebserverport = 70000", "allowed is 1 to 65535"),
    ] {
        let error = settings(toml).unwrap().validate(1, BTreeMap::new()).unwrap_err().to_string();
        assert!(error.contains(words), "{toml}: {error}");
    }
}

#[test]
fn settings_of_the_environment_are_checked_as_those_of_the_file() {
    let validate = |path, text: &str| {
        let environment = BTreeMap::from([(path, text.to_owned())]);
        Settings::default().validate(1, environment)
    };
    for (path, text) in [
        ("name", "true"),
        ("chat/disable", "true"),
        ("tags", "[\"art\"]"),
        ("schedule/chatopenminutes", "30"),
        ("autoplay", "off"),
    ] {
        assert_eq!(validate(path, text).unwrap().environment[path], text);
    }
    for (path, text, words) in [
        ("chat/disable", "yes", "true or false"),
        ("webserverport", "70000", "allowed is 1 to 65535"),
        ("webserverport", "", "a number"),
        ("autoplay", "sometimes", "sound-only"),
        ("tags", "art", "a list"),
    ] {
        let error = validate(path, text).unwrap_err().to_string();
        assert!(error.contains(path) && error.contains(words), "{path}={text}: {error}");
    }
}

#[test]
fn a_broken_file_is_named_by_line_and_shows_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("riverrun.toml");
    for line in ["admin_password = hunter2secret", "stream_key = 1234567890"] {
        std::fs::write(&path, format!("log = 'warn'\n{line}\n")).unwrap();
        let error = read_file(&path).unwrap_err().to_string();
        assert!(error.contains("line 2"), "{error}");
        assert!(!error.contains("hunter2") && !error.contains("1234"), "{error}");
    }
}

#[test]
fn secrets_are_not_printed() {
    let config =
        settings("stream_key = 'visible-key'").unwrap().validate(1, BTreeMap::new()).unwrap();
    assert!(!format!("{config:?}").contains("visible-key"));
}
