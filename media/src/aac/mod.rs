//! aac.

/// AudioSpecificConfig.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AudioSpecificConfig {}
