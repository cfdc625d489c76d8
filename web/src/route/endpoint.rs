//! One row of the table of routes: what is asked, by whom, with what body, for what answer (T35).

use http::Method;

use crate::settings::Setting;
use crate::shape::Shape;

/// A route as declared. Whatever serves or describes routes reads it here.
#[derive(Clone, Copy, Debug)]
pub struct Endpoint {
    /// The path; a part in braces stands for one name.
    pub path: &'static str,
    /// Methods beside OPTIONS; HEAD wherever GET is.
    pub methods: &'static [Method],
    /// What is done.
    pub operation: Operation,
    /// Who may ask.
    pub access: Access,
    /// What has to be sent along, if anything.
    pub body: Option<BodyShape>,
    /// What a success looks like.
    pub answer: AnswerShape,
    /// Whose pages may read the answer.
    pub sharing: Sharing,
    /// One sentence for people.
    pub summary: &'static str,
}

/// What a route does. One word per handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // Each is named after its path, which the table explains.
pub enum Operation {
    Page,
    VideoEmbed,
    ChatEmbed,
    Manifest,
    PublicFile,
    PlatformIcon,
    MultivariantPlaylist,
    MediaPlaylist,
    MediaFile,
    Health,
    Ready,
    Robots,
    Favicon,
    Logo,
    ExternalLogo,
    Thumbnail,
    Preview,
    CustomJavascript,
    EmojiFile,
    OpenApi,
    Status,
    Config,
    Ping,
    Variants,
    SocialPlatforms,
    Directory,
    EmojiList,
    PlaybackReport,
    CmcdReport,
    Login,
    Logout,
    AdminStatus,
    ServerConfig,
    ViewersOverTime,
    Viewers,
    HardwareStats,
    VideoMetrics,
    PlaybackClients,
    History,
    HealthReport,
    /// `/metrics`: a setting may open it to everybody.
    Metrics,
    /// `/api/admin/prometheus`: the same, always the admin's.
    Prometheus,
    Logs,
    Warnings,
    Disconnect,
    ResetDirectory,
    EmojiUpload,
    EmojiDelete,
    SetLogo,
    SetFavicon,
    SetPassword,
    SetStreamKeys,
    /// A row of the table of settings.
    Set(&'static Setting),
    /// Part of the API, and of a later version of this program: 501.
    Coming,
}

/// Who may ask (API §1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everybody.
    Open,
    /// A user of the chat.
    User,
    /// A user who may moderate.
    Moderator,
    /// The admin, by Basic or by session.
    Admin,
    /// A program with a token of this scope.
    Integration(&'static str),
}

/// Whose pages may read an answer (T5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharing {
    /// Those of every site.
    Any,
    /// Our own.
    Own,
    /// Our own, and foreign ones are turned away with 403.
    Guarded,
}

/// A JSON body and its limit.
#[derive(Clone, Copy, Debug)]
pub struct BodyShape {
    /// What it is. Setters of the configuration have it below `value`.
    pub shape: Shape,
    /// It stands below `value`.
    pub wrapped: bool,
    /// It may be left out.
    pub optional: bool,
    /// Longest body in bytes; longer is 413.
    pub bytes_max: usize,
}

/// What a success carries.
#[derive(Clone, Copy, Debug)]
pub enum AnswerShape {
    /// Nothing.
    Empty,
    /// `{"message", "success"}`
    Simple,
    /// This JSON.
    Json(Shape),
    /// Something of this media type.
    Media(&'static str),
}

/// Longest body where nothing larger is declared, bytes.
pub(super) const BODY_BYTES_MAX: usize = 64 << 10;
/// Longest body of a setter, bytes: 100,000 characters, each written as two escapes of six.
pub(super) const SETTER_BYTES_MAX: usize = 1_280 << 10;

impl Endpoint {
    /// Value of `Allow`, and of `Access-Control-Allow-Methods`.
    #[must_use]
    pub fn allow(&self) -> &'static str {
        match self.methods {
            [Method::POST] => "POST, OPTIONS",
            [Method::DELETE] => "DELETE, OPTIONS",
            [Method::GET, Method::POST] => "GET, HEAD, POST, OPTIONS",
            [Method::GET, Method::POST, Method::PUT, Method::DELETE] => {
                "GET, HEAD, POST, PUT, DELETE, OPTIONS"
            }
            [Method::POST, Method::DELETE] => "POST, DELETE, OPTIONS",
            _ => "GET, HEAD, OPTIONS",
        }
    }

    /// Whether it is asked with this method.
    #[must_use]
    pub fn takes(&self, method: &Method) -> bool {
        let method = if *method == Method::HEAD { &Method::GET } else { method };
        self.methods.contains(method)
    }

    /// The setter of a setting.
    pub(super) const fn of_setting(path: &'static str, setting: &'static Setting) -> Self {
        let body = BodyShape {
            shape: setting.shape,
            wrapped: true,
            optional: false,
            bytes_max: SETTER_BYTES_MAX,
        };
        Self {
            path,
            methods: POST,
            operation: Operation::Set(setting),
            access: Access::Admin,
            body: Some(body),
            answer: AnswerShape::Simple,
            sharing: Sharing::Guarded,
            summary: "Sets one setting.",
        }
    }

    pub(super) const fn open(
        path: &'static str,
        operation: Operation,
        answer: AnswerShape,
        summary: &'static str,
    ) -> Self {
        let (access, sharing) = (Access::Open, Sharing::Own);
        Self { path, methods: GET, operation, access, body: None, answer, sharing, summary }
    }

    pub(super) const fn admin(
        path: &'static str,
        operation: Operation,
        answer: AnswerShape,
        summary: &'static str,
    ) -> Self {
        let (access, sharing) = (Access::Admin, Sharing::Guarded);
        Self { path, methods: GET, operation, access, body: None, answer, sharing, summary }
    }

    /// Readable by pages of every site.
    pub(super) const fn shared(mut self) -> Self {
        self.sharing = Sharing::Any;
        self
    }

    /// Asked with POST and this body.
    pub(super) const fn post(mut self, shape: Shape, bytes_max: usize) -> Self {
        self.methods = POST;
        self.body = Some(BodyShape { shape, wrapped: false, optional: false, bytes_max });
        self
    }

    /// Asked with POST and this value below `value`.
    pub(super) const fn post_value(mut self, shape: Shape, bytes_max: usize) -> Self {
        self.methods = POST;
        self.body = Some(BodyShape { shape, wrapped: true, optional: false, bytes_max });
        self
    }

    /// Asked with these methods.
    pub(super) const fn with(mut self, methods: &'static [Method]) -> Self {
        self.methods = methods;
        self
    }
}

pub(super) const GET: &[Method] = &[Method::GET];
pub(super) const POST: &[Method] = &[Method::POST];
pub(super) const DELETE: &[Method] = &[Method::DELETE];
pub(super) const GET_OR_POST: &[Method] = &[Method::GET, Method::POST];
pub(super) const ANY: &[Method] = &[Method::GET, Method::POST, Method::PUT, Method::DELETE];
pub(super) const POST_OR_DELETE: &[Method] = &[Method::POST, Method::DELETE];
