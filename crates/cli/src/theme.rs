//! The operator's theme for the billing page: a file, and a logo beside it.

use std::path::Path;

use farthing_server::{Logo, Theme};

use crate::exit::Failure;

/// The largest logo, in bytes.
const LOGO_BYTES_MAX: u64 = 256 << 10;

/// Reads the theme at `path`. Errors: it cannot be read, says something that is not known, or its
/// logo is not there, too large, or neither an SVG nor a PNG.
pub fn read(path: &Path) -> Result<Theme, Failure> {
    let shown = path.display();
    let unread = |error: std::io::Error| Failure::new(format!("{shown} cannot be read: {error}"));
    let source = std::fs::read_to_string(path).map_err(unread)?;
    let mut theme = Theme::parse(&source)
        .map_err(|problem| Failure::new(format!("{shown}: {problem}; nothing was started")))?;
    if let Some(file) = theme.logo_file.clone() {
        let at = path.parent().unwrap_or(Path::new(".")).join(&file);
        theme.logo = Some(logo(&at)?);
    }
    Ok(theme)
}

fn logo(path: &Path) -> Result<Logo, Failure> {
    let shown = path.display();
    let media_type = match path.extension().and_then(|it| it.to_str()) {
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        _ => {
            return Err(Failure::new(format!("the logo {shown} is neither .svg nor .png"))
                .fix("name a file of one of these kinds, beside the theme"));
        }
    };
    let unread =
        |error: std::io::Error| Failure::new(format!("the logo {shown} cannot be read: {error}"));
    if LOGO_BYTES_MAX < std::fs::metadata(path).map_err(unread)?.len() {
        return Err(Failure::new(format!("the logo {shown} is larger than 256 KiB")));
    }
    Ok(Logo { bytes: std::fs::read(path).map_err(unread)?, media_type })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_theme_and_its_logo_are_read_from_beside_each_other() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("theme.toml");
        std::fs::write(&path, "name = \"Acme\"\nlogo = \"logo.svg\"\n").unwrap();
        assert!(read(&path).is_err(), "there is no logo");
        std::fs::write(dir.path().join("logo.svg"), "<svg/>").unwrap();
        let theme = read(&path).unwrap();
        assert_eq!(theme.name, "Acme");
        assert_eq!(theme.logo.unwrap().media_type, "image/svg+xml");
        std::fs::write(&path, "logo = \"logo.exe\"\n").unwrap();
        assert!(read(&path).is_err());
    }
}
